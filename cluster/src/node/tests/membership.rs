//! Nodes that join, get and lose their votes, move, hand over and leave.

use openraft::async_runtime::WatchReceiver as _;

use super::*;
use crate::reach;

/// A founder with two more that have joined and vote.
async fn three_by_joining() -> Trio {
    let mut trio = Trio::found_alone().await;
    for node_id in [2, 3] {
        trio.start(node_id, Founding::Join).await;
        assert!(
            !trio.handle(node_id).status().fresh,
            "it knows nothing yet, and vouches for nothing"
        );
        trio.handle(1).add_member(joining(node_id, "there")).await.unwrap();
        trio.handle(1).promote(node_id).await.unwrap();
    }
    trio.all_fresh().await;
    trio
}

fn voters(handle: &ClusterHandle) -> Vec<u64> {
    let voters = handle.members().into_iter().filter(|member| member.is_voter);
    voters.map(|member| member.node_id).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_cluster_of_one_grows_to_three_and_survives_its_founder() {
    let trio = three_by_joining().await;
    trio.revoke(3, 0..5).await;
    assert_eq!(voters(&trio.handle(2)), [1, 2, 3]);
    trio.set_cut_off(&[1]);
    let leader = trio.leader().await;
    assert_ne!(leader, 1);
    trio.revoke(leader, 5..6).await;
    assert!((0..6).all(|number| trio.handle(leader).is_revoked(&token(number)) == Ok(true)));
    trio.shutdown().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_learner_has_no_vote_but_everything_else() {
    let mut trio = Trio::found_alone().await;
    trio.start(2, Founding::Join).await;
    trio.revoke(1, 0..3).await;
    assert!(trio.handle(1).is_alone());
    trio.handle(1).add_member(joining(2, "far")).await.unwrap();
    trio.all_fresh().await;
    assert!(!trio.handle(1).is_alone() && !trio.handle(2).is_alone());
    assert_eq!(voters(&trio.handle(2)), [1]);
    assert_eq!(trio.handle(2).is_revoked(&token(2)), Ok(true));
    trio.revoke(2, 3..4).await;
    assert_eq!(trio.handle(1).is_revoked(&token(3)), Ok(true), "it takes changes, too");
    trio.shutdown().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn members_are_changed_from_any_node_and_repetitions_do_no_harm() {
    let trio = three_by_joining().await;
    for _ in 0..2 {
        trio.handle(3).demote(2).await.unwrap();
        assert_eq!(voters(&trio.handle(1)), [1, 3]);
    }
    trio.handle(2).promote(2).await.unwrap();
    let moved = Joining {
        address: "node-3-moved".to_owned(),
        ..joining(3, "there")
    };
    trio.handle(2).add_member(moved).await.unwrap();
    let moved = trio.handle(1).members().remove(2);
    assert_eq!((moved.address.as_str(), moved.is_voter), ("node-3-moved", true));
    for _ in 0..2 {
        trio.handle(1).remove(3).await.unwrap();
    }
    assert_eq!(trio.handle(1).members().len(), 2);
    let unknown = trio.handle(2).promote(9).await;
    assert!(
        matches!(&unknown, Err(ClusterError::Refused(reason)) if reason.contains("no node 9")),
        "{unknown:?}"
    );
    trio.handle(1).remove(2).await.unwrap();
    let last = trio.handle(1).remove(1).await;
    assert!(
        matches!(&last, Err(ClusterError::Refused(reason)) if reason.contains("only voter")),
        "{last:?}"
    );
    trio.shutdown().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_leader_hands_over_when_it_is_asked() {
    let trio = three_by_joining().await;
    let leader = trio.leader().await;
    let next = if leader == 3 { 2 } else { 3 };
    trio.handle(1).transfer_leader(next).await.unwrap();
    trio.until(|| (trio.handle(next).status().role == Role::Leader).then_some(()))
        .await;
    trio.revoke(1, 0..1).await;
    trio.handle(next).hand_over(Duration::from_secs(5)).await;
    assert_ne!(trio.leader().await, next, "a node that is about to stop");
    trio.shutdown().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_overview_says_how_every_member_is_and_who_can_not_be_asked() {
    let trio = three_by_joining().await;
    trio.set_cut_off(&[3]);
    let overview = trio.handle(2).overview().await;
    let reports: Vec<(u64, bool)> = overview
        .iter()
        .map(|member| (member.entry.node_id, member.report.is_ok()))
        .collect();
    assert_eq!(reports, [(1, true), (2, true), (3, false)]);
    let second = overview[1].report.as_ref().unwrap();
    assert_eq!(second.version, env!("CARGO_PKG_VERSION"));
    assert!(second.fresh && second.last_applied.is_some());
    trio.shutdown().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_invitation_lets_one_node_in_which_votes_when_it_has_caught_up() {
    let mut trio = Trio::found_alone().await;
    trio.revoke(1, 0..3).await;
    let invite = trio.handle(1).invite(Duration::from_secs(60)).await.unwrap();
    let votes = |node_id| Joining {
        wants_vote: true,
        ..joining(node_id, "")
    };
    trio.start(2, Founding::Join).await;
    for _ in 0..2 {
        trio.handle(1).join(&invite, votes(2)).await.unwrap();
    }
    trio.until(|| (voters(&trio.handle(2)) == [1, 2]).then_some(())).await;
    let refused = |joined: Result<(), ClusterError>, word: &str| {
        assert!(
            matches!(&joined, Err(ClusterError::Refused(reason)) if reason.contains(word)),
            "{joined:?}"
        );
    };
    refused(trio.handle(2).join(&invite, votes(3)).await, "used up");
    let forged = domain::Secret::new("agentidp_invite_00".to_owned());
    let written = || trio.nodes[&1].raft.metrics().borrow_watched().last_log_index;
    let before = written();
    refused(trio.handle(1).join(&forged, votes(3)).await, "unknown");
    assert_eq!(written(), before, "whoever invents invitations makes nobody write");
    let second = trio.handle(2).invite(Duration::from_secs(60)).await.unwrap();
    let elsewhere = Joining {
        address: "elsewhere".to_owned(),
        ..votes(2)
    };
    refused(trio.handle(1).join(&second, elsewhere).await, "node 2 already");
    let third = trio.handle(2).invite(Duration::from_secs(60)).await.unwrap();
    let in_its_place = Joining {
        address: "node-2".to_owned(),
        ..votes(3)
    };
    refused(trio.handle(1).join(&third, in_its_place).await, "at node-2 already");
    trio.handle(1).join(&third, votes(3)).await.unwrap();
    // Who is demoted stays so.
    trio.handle(1).demote(2).await.unwrap();
    assert_eq!(voters(&trio.handle(1)), [1]);
    trio.shutdown().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_two_changes_at_once_the_second_sees_what_the_first_has_left() {
    let mut trio = three_by_joining().await;
    trio.start(4, Founding::Join).await;
    trio.handle(1).add_member(joining(4, "there")).await.unwrap();
    trio.handle(1).promote(4).await.unwrap();
    let leader = trio.leader().await;
    let others: Vec<u64> = (1..=4).filter(|node_id| *node_id != leader).collect();
    trio.set_cut_off(&others[..1]);
    // Each alone leaves a majority that answers, both would leave none.
    let at_leader = trio.handle(leader);
    let (one, other) = tokio::join!(at_leader.demote(others[1]), at_leader.demote(others[2]));
    assert!(one.is_ok() != other.is_ok(), "{one:?} {other:?}");
    trio.revoke(leader, 0..1).await;
    trio.shutdown().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_node_that_was_removed_while_it_was_away_hears_of_it_when_it_asks() {
    let mut trio = three_by_joining().await;
    trio.set_cut_off(&[3]);
    let leader = trio.leader().await;
    trio.handle(leader).remove(3).await.unwrap();
    let away = trio.nodes.remove(&3).unwrap();
    assert!(away.handle().status().failure.is_none());
    trio.set_cut_off(&[]);
    let failure = away.handle().failed().await;
    assert!(failure.to_string().contains("node 3 was removed"), "{failure}");
    assert!(away.shutdown().await.is_err());
    trio.revoke(leader, 0..1).await;
    trio.shutdown().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_preferred_region_leads_whenever_it_can() {
    let prefer = |config: &mut ClusterConfig| {
        config.preferred_leader_region = "there".to_owned();
        config.lead_at_least = Duration::from_secs(1);
    };
    let mut trio = Trio {
        hub: Arc::new(Hub::default()),
        nodes: BTreeMap::new(),
        folders: Vec::new(),
    };
    trio.start_with(1, Founding::Alone, prefer).await;
    for (node_id, region) in [(2, "here"), (3, "there")] {
        trio.start_with(node_id, Founding::Join, prefer).await;
        trio.handle(1).add_member(joining(node_id, region)).await.unwrap();
        trio.handle(1).promote(node_id).await.unwrap();
    }
    trio.until(|| (trio.handle(3).status().role == Role::Leader).then_some(()))
        .await;
    trio.revoke(1, 0..3).await;
    trio.set_cut_off(&[3]);
    assert_ne!(trio.leader().await, 3, "any leader is better than none");
    trio.revoke(1, 3..4).await;
    trio.set_cut_off(&[]);
    let is_led_by_3 = |node_id| trio.handle(node_id).status().leader == Some(3);
    trio.until(|| (is_led_by_3(1) && is_led_by_3(2)).then_some(())).await;
    trio.revoke(2, 4..5).await;
    trio.all_have(&[1, 2, 3], 5).await;
    trio.shutdown().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_learner_of_the_preferred_region_neither_leads_nor_votes() {
    let prefer = |config: &mut ClusterConfig| {
        config.preferred_leader_region = "there".to_owned();
        config.lead_at_least = Duration::from_millis(500);
    };
    let mut trio = Trio {
        hub: Arc::new(Hub::default()),
        nodes: BTreeMap::new(),
        folders: Vec::new(),
    };
    trio.start_with(1, Founding::Alone, prefer).await;
    trio.start_with(2, Founding::Join, prefer).await;
    trio.handle(1).add_member(joining(2, "there")).await.unwrap();
    trio.all_fresh().await;
    // Several looks of those that promote and of those that prefer.
    sleep(Duration::from_secs(3)).await;
    assert_eq!(voters(&trio.handle(1)), [1]);
    assert_eq!(trio.handle(2).status().role, Role::Learner);
    assert_eq!(trio.handle(1).status().role, Role::Leader);
    trio.shutdown().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_founder_that_left_and_joins_anew_does_not_take_itself_for_the_founder() {
    let keeps_all = |config: &mut ClusterConfig| config.snapshot_every = 10_000;
    let mut trio = Trio::default();
    trio.start_with(1, Founding::Alone, keeps_all).await;
    for node_id in [2, 3] {
        trio.start_with(node_id, Founding::Join, keeps_all).await;
        trio.handle(1).add_member(joining(node_id, "")).await.unwrap();
        trio.handle(1).promote(node_id).await.unwrap();
    }
    // More than travels in one message.
    trio.revoke(1, 0..200).await;
    trio.handle(2).remove(1).await.unwrap();
    trio.nodes.remove(&1).unwrap().shutdown().await.unwrap();

    // It begins to read the history, and gets no further than to the times when it was alone.
    trio.hub
        .entries_late
        .lock()
        .unwrap()
        .insert(1, Duration::from_millis(300));
    trio.start_with(1, Founding::Join, keeps_all).await;
    let again = trio.folders.last().unwrap().path().to_owned();
    trio.handle(2).add_member(joining(1, "")).await.unwrap();
    trio.until(|| trio.handle(1).status().last_applied.map(drop)).await;
    trio.set_cut_off(&[1]);
    assert!(trio.handle(1).status().revocations < 200, "it is on its way");
    for _ in 0..2 {
        sleep(Duration::from_secs(2)).await;
        let status = trio.handle(1).status();
        assert!(status.role != Role::Leader && !status.fresh, "{status:?}");
        trio.nodes.remove(&1).unwrap().shutdown().await.unwrap();
        let config = ClusterConfig {
            snapshot_every: 10_000,
            ..config(1, &again)
        };
        let node = ClusterNode::open(config, ports(1, &trio.hub)).await.unwrap();
        trio.hub.members.lock().unwrap().insert(1, node.handle());
        trio.nodes.insert(1, node);
    }

    // Once it has all, it is a member like the others.
    trio.hub.entries_late.lock().unwrap().clear();
    trio.set_cut_off(&[]);
    trio.all_have(&[1], 200).await;
    trio.handle(2).promote(1).await.unwrap();
    trio.handle(2).transfer_leader(1).await.unwrap();
    trio.until(|| (trio.handle(1).status().role == Role::Leader).then_some(()))
        .await;
    trio.revoke(2, 200..201).await;
    trio.all_have(&[1], 201).await;
    trio.shutdown().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nobody_who_is_away_gets_a_vote_and_nobody_leaves_who_would_be_missed() {
    let mut trio = three_by_joining().await;
    let refused = |outcome: Result<(), ClusterError>, part: &str| {
        assert!(
            matches!(&outcome, Err(ClusterError::Refused(reason)) if reason.contains(part)),
            "{outcome:?}"
        );
    };
    trio.handle(1).add_member(joining(4, "there")).await.unwrap();
    refused(trio.handle(1).promote(4).await, "does not answer");
    trio.start(4, Founding::Join).await;
    trio.handle(1).promote(4).await.unwrap();
    trio.handle(1).remove(4).await.unwrap();

    let leader = trio.leader().await;
    let others: Vec<u64> = (1..=3).filter(|node_id| *node_id != leader).collect();
    trio.set_cut_off(&others[..1]);
    sleep(reach::SILENCE_MAX).await;
    refused(trio.handle(leader).remove(others[1]).await, "no majority");
    refused(trio.handle(leader).demote(others[1]).await, "no majority");
    assert!(trio.handle(others[1]).status().fresh, "it was not drained");
    trio.handle(leader).remove(others[0]).await.unwrap();
    trio.revoke(leader, 0..1).await;
    trio.shutdown().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_change_of_the_voters_is_finished_although_nobody_waits_for_it() {
    let trio = three_by_joining().await;
    let leader = trio.leader().await;
    let others: Vec<u64> = (1..=3).filter(|node_id| *node_id != leader).collect();
    // Its second step needs the one that is away.
    let (away, stays) = (others[0], others[1]);
    let begun = trio.nodes[&leader].raft.clone();
    trio.set_cut_off(&[away]);
    let demoting = tokio::time::timeout(
        Duration::from_millis(300),
        begun.change_membership(openraft::ChangeMembers::RemoveVoters(BTreeSet::from([stays])), true),
    );
    assert!(demoting.await.is_err());
    trio.set_cut_off(&[]);
    let sets = |node_id: &u64| {
        let metrics = trio.nodes[node_id].raft.metrics();
        let metrics = metrics.borrow_watched().clone();
        metrics.membership_config.membership().get_joint_config().clone()
    };
    trio.until(|| trio.nodes.keys().all(|node_id| sets(node_id).len() == 1).then_some(()))
        .await;
    assert_eq!(voters(&trio.handle(leader)).len(), 2);
    trio.shutdown().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_member_that_leaves_vouches_for_nothing_and_a_leader_that_loses_its_vote_hands_over() {
    let trio = three_by_joining().await;
    let leader = trio.leader().await;
    trio.handle(leader).demote(leader).await.unwrap();
    assert_eq!(voters(&trio.handle(leader)).len(), 2);
    let next = trio.leader().await;
    assert_ne!(next, leader);
    trio.handle(next).remove(leader).await.unwrap();
    assert!(trio.handle(leader).is_revoked(&token(1)).is_err());
    trio.shutdown().await;
}

/// It reads in its log how it was the only voter, and must not take that for what is. In a run of the simulator it elected
/// itself, and the others gave up what was committed since.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_founder_that_joins_again_with_nothing_does_not_lead_because_it_was_alone_once() {
    let mut trio = Trio::found_alone().await;
    trio.revoke(1, 0..80).await;
    for node_id in [2, 3] {
        trio.start(node_id, Founding::Join).await;
        trio.handle(1).add_member(joining(node_id, "there")).await.unwrap();
        trio.handle(1).promote(node_id).await.unwrap();
    }
    trio.all_fresh().await;
    trio.handle(2).remove(1).await.unwrap();
    trio.hub.members.lock().unwrap().remove(&1);
    trio.nodes.remove(&1).unwrap().shutdown().await.unwrap();
    let leader = trio.leader().await;
    let before = trio.handle(leader).status();
    // The log comes piece by piece, and between two of them there is time for an election.
    trio.hub.one_way_ms.store(20, Relaxed);
    trio.start(1, Founding::Join).await;
    trio.handle(leader).add_member(joining(1, "there")).await.unwrap();
    trio.all_have(&[1], 80).await;
    trio.all_fresh().await;
    let after = trio.handle(leader).status();
    assert_eq!((after.role, after.term), (Role::Leader, before.term));
    trio.revoke(leader, 80..81).await;
    trio.all_have(&[1, 2, 3], 81).await;
    // It stands for elections again.
    trio.handle(leader).promote(1).await.unwrap();
    trio.handle(leader).transfer_leader(1).await.unwrap();
    trio.until(|| (trio.handle(1).status().role == Role::Leader).then_some(()))
        .await;
    trio.shutdown().await;
}
