# What the portal tells a bundle about the instance. Every bundle declares these, and the app's own
# parameters beside them.

variable "host_name" {
  description = "The instance's full host name (one DNS label)."
  type        = string
}

variable "resource_name" {
  description = "A form of the host name that is a valid, unique name for resources of this platform."
  type        = string
}

variable "instance_id" {
  description = "The instance's ID."
  type        = string
}

variable "image" {
  description = "The image's name. It is fetched when the engine does not have it."
  type        = string
}

variable "port" {
  description = "The port on which the app listens inside its container; it is told by PORT."
  type        = number
}

variable "environment" {
  description = "The app's environment."
  type        = map(string)
  default     = {}
}

variable "labels" {
  description = "Labels for every resource; by them the portal finds what is left behind."
  type        = map(string)
}

variable "limits" {
  description = "Memory in MB, processors, and the number of processes and threads."
  type = object({
    memory_mb = number
    cpus      = number
    pids      = number
  })
}

variable "read_only_root" {
  description = "Whether the container's root file system is read-only."
  type        = bool
  default     = true
}

variable "network" {
  description = "A network that is there, for the instance alone; see network in iap.yaml."
  type        = string
  default     = ""
}

# The app's own parameter, see iap.yaml.
variable "title" {
  description = "The list's title."
  type        = string
  default     = "Our list"
}
