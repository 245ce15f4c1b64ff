//! Nodes that talk over real sockets of the loopback interface.

mod calls;
mod hostile;
mod lifecycle;
mod standing;
mod support;
mod trust;
