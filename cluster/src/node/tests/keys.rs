//! Signing keys on several members: one owner of the schedule whoever is cut off, and one master key after another.

use domain::ports::{KeyStepError, SigningKeys as _};
use domain::{
    KeyId, KeyOrder, KeyStep, KeyTerms, NewSigningKey, NodeId, Resealing, SealingProgress, SigningAlgorithm, Urgency,
};
use zeroize::Zeroizing;

use super::*;
use crate::bootstrap::Bootstrap;

fn signing_key(name: &str) -> NewSigningKey {
    NewSigningKey {
        key_id: KeyId(name.to_owned()),
        algorithm: SigningAlgorithm::EdDsa,
        pkcs8: Zeroizing::new(format!("private half of {name}").into_bytes()),
        public_jwk: format!("{{\"kid\":\"{name}\"}}"),
    }
}

async fn with_keys() -> Trio {
    let trio = Trio::found().await;
    trio.all_fresh().await;
    let first = Bootstrap {
        keys: vec![signing_key("first")],
        digest_key: Zeroizing::new([9; 32]),
        terms: KeyTerms::DEFAULT,
    };
    trio.handle(1).bootstrap(first).await.unwrap();
    trio
}

/// The owner of the schedule and the epoch, when these members agree that it is one of them.
async fn owner_among(trio: &Trio, members: &[u64]) -> (u64, u64) {
    trio.until(|| {
        let views = members.iter().map(|node_id| trio.handle(*node_id).view());
        let views: Vec<_> = views.collect::<Option<_>>()?;
        let ownership = views.first()?.ownership;
        let owner = ownership.owner?.0;
        let agree = views
            .iter()
            .all(|view| (view.ownership.owner, view.ownership.epoch) == (Some(NodeId(owner)), ownership.epoch));
        (agree && members.contains(&owner)).then_some((owner, ownership.epoch))
    })
    .await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_schedule_of_an_owner_that_is_cut_off_is_another_members() {
    let trio = with_keys().await;
    // All three are seen before long; until then the owner may change.
    trio.until(|| {
        let state = trio.handle(1).placed_on();
        (state == [1, 2, 3]).then_some(())
    })
    .await;
    let (owner, epoch) = owner_among(&trio, &[1, 2, 3]).await;
    let publish = |name: &str| KeyStep::Publish(signing_key(name));
    for other in (1..=3).filter(|node_id| *node_id != owner) {
        let refused = trio.handle(other).take(epoch, publish("theirs")).await;
        assert!(matches!(refused, Err(KeyStepError::Refused(_))), "{refused:?}");
    }

    trio.set_cut_off(&[owner]);
    let others: Vec<u64> = (1..=3).filter(|node_id| *node_id != owner).collect();
    let (next, next_epoch) = owner_among(&trio, &others).await;
    assert!(next_epoch > epoch);
    trio.handle(next).take(next_epoch, publish("second")).await.unwrap();

    // It believes to be the owner still, and finds out that it is not when it is heard.
    let former = trio.handle(owner);
    assert!(former.view().unwrap().ownership.is_here);
    let late = tokio::spawn(async move { former.take(epoch, publish("late")).await });
    sleep(Duration::from_millis(300)).await;
    trio.set_cut_off(&[]);
    let late = late.await.unwrap();
    assert!(late.is_err(), "refused, or given up before it was heard");
    trio.all_fresh().await;
    let again = trio.handle(owner).take(epoch, publish("late")).await;
    assert!(matches!(again, Err(KeyStepError::Refused(_))), "{again:?}");
    for node_id in 1..=3 {
        let handle = trio.handle(node_id);
        trio.until(|| (handle.view()?.keys.len() == 2).then_some(())).await;
    }
    trio.shutdown().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_is_sealed_with_a_master_key_that_a_member_lacks() {
    let mut trio = with_keys().await;
    trio.handle(1).add_member(joining(4, "far")).await.unwrap();
    for node_id in [1, 2] {
        trio.restart(node_id, master_keys(&[6, 5])).await;
    }
    let waiting = |members: &[u64]| Resealing::Waiting(members.iter().copied().map(NodeId).collect());
    let epoch = |trio: &Trio| trio.handle(1).view().unwrap().ownership.epoch;
    assert_eq!(trio.handle(1).reseal(epoch(&trio)).await, Ok(waiting(&[3, 4])));

    // What is sealed meanwhile, by members that would rather use the new one, opens everywhere.
    let order = KeyOrder {
        keys: vec![signing_key("second")],
        urgency: Urgency::Emergency,
        ordered_from: None,
    };
    let applied = trio.handle(2).carry_out(order).await.unwrap();
    for node_id in 1..=3 {
        let handle = trio.handle(node_id);
        trio.until(|| (handle.status().revision >= applied.revision).then_some(()))
            .await;
        handle.check_master_keys().unwrap();
    }

    trio.restart(3, master_keys(&[6, 5])).await;
    assert_eq!(
        trio.handle(1).reseal(epoch(&trio)).await,
        Ok(waiting(&[4])),
        "learners count, too"
    );
    trio.handle(1).remove(4).await.unwrap();
    let count = loop {
        let (owner, epoch) = owner_among(&trio, &[1, 2, 3]).await;
        match trio.handle(owner).reseal(epoch).await {
            Ok(Resealing::Done(count)) => break count,
            // Another owner, or a member that has not been told of the fourth one's leave.
            Ok(Resealing::Waiting(_)) | Err(KeyStepError::Refused(_)) => sleep(Duration::from_millis(20)).await,
            Err(error) => panic!("{error}"),
        }
    };
    assert_eq!(count, 2, "the digest key and the signing key");
    for node_id in 1..=3 {
        let handle = trio.handle(node_id);
        let done = SealingProgress { current: 2, former: 0 };
        trio.until(|| (handle.view()?.sealing == done).then_some(())).await;
    }
    for node_id in 1..=3 {
        trio.restart(node_id, master_keys(&[6])).await;
        trio.handle(node_id).check_master_keys().unwrap();
    }
    trio.shutdown().await;
}
