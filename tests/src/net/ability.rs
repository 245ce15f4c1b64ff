//! Whether this machine lets us make networks.

use tun_rs::{DeviceBuilder, Layer};

use super::ip::ip;
use super::names::Names;
use crate::settings;

/// Why no cluster can be made here; `None` if one can.
pub async fn what_is_missing() -> Option<String> {
    if settings::postgres_url().is_none() {
        return Some(crate::skip::WITHOUT_POSTGRES.to_owned());
    }
    let namespace = Names::of_this_process().namespace(0);
    if let Err(refusal) = ip(&format!("netns add {namespace}")) {
        return Some(format!("network namespaces can't be made here: {refusal}"));
    }
    let _ = ip(&format!("netns delete {namespace}"));
    let device = DeviceBuilder::new().layer(Layer::L2).enable(false).build_sync();
    device
        .err()
        .map(|error| format!("TAP devices can't be made here, see /dev/net/tun: {error}"))
}
