output "upstream" {
  description = "Where the portal reaches the app."
  value       = "http://127.0.0.1:${try(docker_container.app.ports[0].external, 0)}"

  precondition {
    condition     = length(docker_container.app.ports) > 0
    error_message = "The app's container ended right after its start."
  }
}
