//! The harness of the black-box tests: it starts the real `agentidp` binary on a throw-away store, speaks HTTP and raw
//! TCP to it, kills it, and looks behind its back into the store.
//!
//! It knows the wire contract and the command line, and none of the node's crates.

pub mod api;
pub mod backend;
pub mod binary;
pub mod cluster;
pub mod eventually;
pub mod full_disk;
pub mod http2;
pub mod jwt;
pub mod net;
pub mod node;
pub mod options;
pub mod organization;
pub mod ports;
pub mod postgres;
pub mod process;
pub mod scratch;
pub mod session;
pub mod settings;
pub mod shell;
pub mod skip;
pub mod store;
pub mod unique;
pub mod wire;

pub use api::{Answer, Api, Request};
pub use backend::Backend;
pub use cluster::Cluster;
pub use eventually::eventually;
pub use node::Node;
pub use options::NodeOptions;
pub use organization::Organization;
pub use scratch::Scratch;
pub use session::Session;
pub use shell::Shell;
pub use simulation::workload::{Client, client};
pub use wire::Wire;

/// Turns each named `async fn(Backend)` into two tests, one for each store.
///
/// The functions themselves stay outside of the macro, so that they are formatted and read like any other; one that is
/// not named here is dead code, which the compiler reports.
#[macro_export]
macro_rules! on_both_stores {
    ($($name:ident),+ $(,)?) => {$(
        mod $name {
            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn embedded() {
                super::$name($crate::Backend::Embedded).await;
            }

            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn postgres() {
                if $crate::settings::postgres_url().is_none() {
                    $crate::skip::note(concat!(module_path!(), "::postgres"), $crate::skip::WITHOUT_POSTGRES);
                    return;
                }
                super::$name($crate::Backend::Postgres).await;
            }
        }
    )+};
}
