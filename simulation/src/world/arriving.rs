//! What is done with parcels where they arrive.

use bytes::Bytes;

use super::World;
use super::host::Host;
use super::network::Place;
use super::process::Process;
use super::reply::{Reply, Waiting};
use super::wire::{FrontAnswer, FrontRequest};

impl World {
    /// A call of another node has arrived.
    pub(super) fn take_call(&self, (from, node): (u64, u64), request: Bytes, waiting: Waiting<Vec<u8>>) {
        let Some((host, reply)) = self.reply((node, Place::Node(from)), waiting) else {
            return;
        };
        if !host.has_process_that(|process| process.cluster().is_some()) || !self.would_talk(from, host) {
            reply.refuse();
            return;
        }
        host.hand(move |process| {
            if let Some(cluster) = process.cluster() {
                process.spawn(async move { reply.send(cluster.answer_peer(&request).await) });
            }
        });
    }

    /// Whether two nodes would keep a connection between them after they have greeted each other. Of one that is gone only
    /// what it had sent over an earlier one is left.
    fn would_talk(&self, from: u64, to: &Host) -> bool {
        let from = self
            .hosts
            .get(&from)
            .and_then(|host| host.process.borrow().as_ref()?.local());
        let to = to.process.borrow().as_ref().and_then(Process::local);
        from.zip(to).is_none_or(|(from, to)| from.greet(&to).is_ok())
    }

    /// A client's request has arrived.
    pub(super) fn take_request(&self, node: u64, request: FrontRequest, waiting: Waiting<FrontAnswer>) {
        let Some((host, reply)) = self.reply((node, Place::Clients), waiting) else {
            return;
        };
        if !host.has_process_that(Process::is_serving) {
            reply.refuse();
            return;
        }
        host.hand(move |process| {
            process.answer(request, move |answer| reply.send(answer));
        });
    }

    /// How an answer gets back from a machine; `None` if the machine is off, and nobody will hear of it.
    fn reply<T: Send>(&self, (node, to): (u64, Place), waiting: Waiting<T>) -> Option<(&Host, Reply<T>)> {
        let host = self.hosts.get(&node).filter(|host| host.power.is_on())?;
        let way = (Place::Node(node), to);
        let reply = Reply::new(self.network.clone(), way, host.power.clone(), waiting);
        Some((host, reply))
    }
}
