# The to-do list's own scripts: a container without privileges in a network of its own, which the
# portal has ready, and a volume for the list. The port is published on the loopback address alone.

terraform {
  required_providers {
    docker = {
      source  = "kreuzwerker/docker"
      version = ">= 3.0"
    }
  }
}

# The engine is the one that DOCKER_HOST names, or else the local socket.
provider "docker" {}

locals {
  environment = merge({
    PORT       = tostring(var.port)
    DATA_DIR   = "/data"
    LIST_TITLE = var.title
  }, var.environment)
}

# Without the portal, as when you try the scripts by hand, they make the network themselves.
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

# The image has /data owned by the app's user, and a new volume takes that over.
resource "docker_volume" "data" {
  name = "${var.resource_name}-data"

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
  env      = [for name, value in local.environment : "${name}=${value}"]

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

  # Memory and swap together, so there is no swap. The provider has no argument for limits.pids; the
  # portal sets that limit on the container.
  memory      = var.limits.memory_mb
  memory_swap = var.limits.memory_mb
  cpus        = tostring(var.limits.cpus)

  volumes {
    volume_name    = docker_volume.data.name
    container_path = "/data"
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
