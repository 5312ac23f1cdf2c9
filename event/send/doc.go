// Package send makes the attempts at deliveries: signed webhooks, messages for
// people, and whatever else leaves the portal.
package send
