//! Behaviour through the service itself.
