# The bundle for apps that are only an image: one container in a network of its own, with no
# privileges, whose port is published on the loopback address alone.

terraform {
  required_providers {
    docker = {
      source  = "kreuzwerker/docker"
      version = ">= 3.3"
    }
  }
}

# The engine is the one that DOCKER_HOST names, or else the local socket.
provider "docker" {
  # Whatever needs the engine says itself when that does not answer. The check asks for the
  # engine's version, for which Docker starts three programs.
  disable_docker_daemon_check = true
}

resource "docker_network" "app" {
  count  = var.network == "" ? 1 : 0
  name   = var.resource_name
  driver = "bridge"

  dynamic "labels" {
    for_each = var.labels
    content {
      label = labels.key
      value = labels.value
    }
  }
}

resource "docker_container" "app" {
  name     = var.resource_name
  hostname = var.host_name
  image    = var.image
  env      = [for name, value in merge({ PORT = tostring(var.port) }, var.environment) : "${name}=${value}"]

  must_run              = true
  restart               = "no" # an app that ends is a fault to show, not to hide
  destroy_grace_seconds = 2    # SIGTERM, then SIGKILL

  network_mode = var.network == "" ? docker_network.app[0].name : var.network
  ports {
    internal = var.port
    ip       = "127.0.0.1"
  }

  read_only     = var.read_only_root
  security_opts = ["no-new-privileges:true"]
  capabilities {
    drop = ["ALL"]
  }

  # Memory and swap together, so there is no swap. The provider has no argument for
  # limits.pids, and ulimit's nproc counts a user's processes in all containers together: the
  # portal sets that limit on the container afterwards.
  memory      = var.limits.memory_mb
  memory_swap = var.limits.memory_mb
  cpus        = tostring(var.limits.cpus)

  # Counts as the container's memory.
  tmpfs = {
    "/tmp" = "rw,nosuid,nodev,noexec,mode=1777,size=${max(1, floor(var.limits.memory_mb / 2))}m"
  }

  # An app that prints without end must not fill the engine's disk.
  log_driver = "json-file"
  log_opts = {
    max-size = "5m"
    max-file = "2"
  }

  dynamic "labels" {
    for_each = var.labels
    content {
      label = labels.key
      value = labels.value
    }
  }
}
