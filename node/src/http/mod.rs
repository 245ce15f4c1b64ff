//! The front end. Data flows one way: `server` accepts a connection, `front` gives each request its id, limits and time,
//! `routes` finds the endpoint, `access` decides whether the caller may, the endpoint asks an actor or a store, and
//! `reply` and `error` are the only places where answers are made.
//!
//! **Architecture invariant:** only this folder knows warp and hyper, and no endpoint checks a scope by itself.

pub mod access;
pub mod agents;
pub mod audit;
pub mod body;
pub mod call;
pub mod certificates;
pub mod client_address;
pub mod connection;
pub mod cors;
pub mod credentials;
pub mod error;
pub mod fields;
pub mod front;
pub mod head;
pub mod health;
pub mod keys;
pub mod limits;
pub mod memory_budget;
pub mod oauth;
pub mod operator;
pub mod operator_token;
pub mod patient_stream;
pub mod places;
pub mod query;
pub mod reply;
pub mod request_count;
pub mod request_id;
pub mod request_memory;
pub mod resource;
pub mod routes;
pub mod server;
pub mod services;
pub mod tls;
pub mod verifier;
pub mod wellknown;
