//! Rate limits: exact in what they tell, never too generous, whatever dies meanwhile.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use actors::{ActorSettings, Admission, LimitClass, LimiterSettings, Victim};
use domain::AgentId;
use domain::ports::Clock;
use proptest::prelude::*;
use tokio::task::JoinSet;
use uuid::Uuid;

use super::support::{World, eager, until};

fn client(number: u128) -> AgentId {
    AgentId(Uuid::from_u128(number))
}

async fn world(limiter: LimiterSettings) -> World {
    World::start_with(ActorSettings { limiter, ..eager() }).await
}

fn tokens(limit: u32) -> LimiterSettings {
    LimiterSettings {
        token_requests_per_minute: limit,
        ..LimiterSettings::default()
    }
}

#[tokio::test(start_paused = true)]
async fn a_client_is_told_exactly_what_is_left_and_when_the_next_window_begins() {
    let world = world(tokens(3)).await;
    let reset_at = world.clock.now().plus(Duration::from_secs(60));
    let admit = || world.actors.limiter.admit(client(1), LimitClass::Token);
    for remaining in [2, 1, 0] {
        let retry_after = Duration::ZERO;
        assert_eq!(
            admit().await,
            Admission {
                allowed: true,
                limit: 3,
                remaining,
                reset_at,
                retry_after
            }
        );
    }
    tokio::time::advance(Duration::from_millis(12_500)).await;
    let retry_after = Duration::from_millis(47_500);
    assert_eq!(
        admit().await,
        Admission {
            allowed: false,
            limit: 3,
            remaining: 0,
            reset_at,
            retry_after
        }
    );
    tokio::time::advance(retry_after).await;
    let next = admit().await;
    assert_eq!(
        (next.allowed, next.remaining, next.reset_at),
        (true, 2, reset_at.plus(Duration::from_secs(60)))
    );
}

#[tokio::test(start_paused = true)]
async fn clients_and_classes_are_counted_apart_and_zero_is_no_limit() {
    let world = world(LimiterSettings {
        introspect_per_minute: 0,
        ..tokens(1)
    })
    .await;
    let limiter = &world.actors.limiter;
    assert!(limiter.admit(client(1), LimitClass::Token).await.allowed);
    assert!(!limiter.admit(client(1), LimitClass::Token).await.allowed);
    assert!(limiter.admit(client(2), LimitClass::Token).await.allowed);
    assert_eq!(limiter.admit(client(1), LimitClass::Requests).await.remaining, 99);
    for _ in 0..1000 {
        let admission = limiter.admit(client(1), LimitClass::Introspect).await;
        assert!(admission.allowed && admission.limit == 0);
    }
}

#[tokio::test(start_paused = true)]
async fn beyond_the_bound_clients_share_one_limit_and_places_become_free_again() {
    let world = world(LimiterSettings {
        clients_max: 3,
        ..tokens(5)
    })
    .await;
    let admit = |number| world.actors.limiter.admit(client(number), LimitClass::Token);
    for number in 0..3 {
        assert_eq!(admit(number).await.remaining, 4);
    }
    let mut admitted = 0;
    for number in 3..100 {
        admitted += u32::from(admit(number).await.allowed);
    }
    assert_eq!(admitted, 5, "all clients without a place together get what one would");
    assert_eq!(admit(0).await.remaining, 3, "whoever has a place keeps it");
    tokio::time::sleep(Duration::from_secs(90)).await;
    assert_eq!(
        (admit(50).await.remaining, admit(51).await.remaining),
        (4, 4),
        "idle places were given up"
    );
}

#[tokio::test(start_paused = true)]
async fn only_so_many_limiters_live_and_clients_do_not_notice() {
    let world = world(LimiterSettings {
        actors_max: 4,
        ..tokens(5)
    })
    .await;
    for remaining in (0..5).rev() {
        for number in 0..50 {
            let admission = world.actors.limiter.admit(client(number), LimitClass::Token).await;
            assert_eq!((admission.allowed, admission.remaining), (true, remaining));
        }
    }
    assert!(!world.actors.limiter.admit(client(7), LimitClass::Token).await.allowed);
}

#[tokio::test(start_paused = true)]
async fn when_too_many_new_clients_come_at_once_some_are_told_to_come_back() {
    let world = world(tokens(5)).await;
    let admit = |number| world.actors.limiter.admit(client(number), LimitClass::Token);
    let admissions = futures::future::join_all((0..20_000).map(admit)).await;
    let refused = admissions.iter().filter(|admission| !admission.allowed);
    assert!(
        refused
            .clone()
            .all(|admission| admission.retry_after == Duration::from_secs(1))
    );
    assert_eq!(refused.count(), 20_000 - 16_384);
    assert!(admit(19_999).await.allowed, "there is room again");
}

#[tokio::test(start_paused = true)]
async fn a_client_that_had_to_share_gets_no_place_of_its_own_in_the_same_window() {
    let world = world(LimiterSettings {
        clients_max: 1,
        ..tokens(5)
    })
    .await;
    let admit = |number| world.actors.limiter.admit(client(number), LimitClass::Token);
    assert!(admit(0).await.allowed);
    tokio::time::sleep(Duration::from_secs(40)).await;
    let mut admitted = 0;
    for _ in 0..5 {
        admitted += u32::from(admit(1).await.allowed);
    }
    // The first client's place becomes free now; the second one's window goes on until second 100.
    tokio::time::sleep(Duration::from_secs(50)).await;
    for _ in 0..5 {
        admitted += u32::from(admit(1).await.allowed);
    }
    assert_eq!(admitted, 5);
    tokio::time::sleep(Duration::from_secs(11)).await;
    assert_eq!(admit(1).await.remaining, 4);
}

#[tokio::test(start_paused = true)]
async fn a_limiter_that_dies_hands_out_nothing_twice() {
    let world = world(tokens(10)).await;
    let admit = || world.actors.limiter.admit(client(1), LimitClass::Token);
    assert_eq!(admit().await.remaining, 9);
    for killed in [Victim::Limiter(client(1)), Victim::Limiters, Victim::Supervisor] {
        world.actors.kill(killed);
        let mut remaining = admit().await.remaining;
        assert!(remaining < 9);
        tokio::time::sleep(Duration::from_secs(1)).await;
        remaining = remaining.saturating_sub(admit().await.remaining);
        assert_eq!(remaining, 1, "after {killed:?} the window goes on where it was");
    }
    tokio::time::sleep(Duration::from_secs(60)).await;
    assert_eq!(admit().await.remaining, 9, "and the next one opens");
}

/// With paused time nothing moves but what the tests move, so this is the whole truth about one window.
#[derive(Clone, Debug)]
enum Move {
    Ask(u8),
    Kill,
    KillAll,
    Wait(u16),
}

fn moves() -> impl Strategy<Value = Vec<Move>> {
    let one = prop_oneof![
        4 => (1u8..12).prop_map(Move::Ask),
        1 => Just(Move::Kill),
        1 => Just(Move::KillAll),
        2 => (1u16..30_000).prop_map(Move::Wait),
    ];
    proptest::collection::vec(one, 1..40)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    #[test]
    fn no_window_admits_more_than_the_limit_whatever_happens(limit in 1u32..20, moves in moves()) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build();
        runtime.expect("a runtime").block_on(async {
            let world = world(tokens(limit)).await;
            let mut admitted: Vec<(domain::Timestamp, u32)> = Vec::new();
            for one in moves {
                match one {
                    Move::Ask(count) => {
                        let asked = (0..count).map(|_| world.actors.limiter.admit(client(1), LimitClass::Token));
                        for admission in futures::future::join_all(asked).await {
                            if admission.allowed {
                                match admitted.last_mut() {
                                    Some((window, count)) if *window == admission.reset_at => *count += 1,
                                    _ => admitted.push((admission.reset_at, 1)),
                                }
                            }
                        }
                    }
                    Move::Kill => world.actors.kill(Victim::Limiter(client(1))),
                    Move::KillAll => world.actors.kill(Victim::Limiters),
                    Move::Wait(millis) => tokio::time::sleep(Duration::from_millis(millis.into())).await,
                }
            }
            for (_, count) in &admitted {
                assert!(*count <= limit);
            }
            for pair in admitted.windows(2) {
                assert!(pair[1].0 >= pair[0].0.plus(Duration::from_secs(60)), "windows do not overlap");
            }
        });
    }
}

/// Real threads, real time: all of it within one window of a minute.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn killing_limiters_under_load_admits_no_more_than_the_limit_and_answers_everybody() {
    let world = Arc::new(world(tokens(5000)).await);
    let admitted = Arc::new(AtomicU32::new(0));
    let mut tasks = JoinSet::new();
    for _ in 0..16 {
        let (world, admitted) = (world.clone(), admitted.clone());
        tasks.spawn(async move {
            for _ in 0..1000 {
                let admission = world.actors.limiter.admit(client(1), LimitClass::Token).await;
                admitted.fetch_add(u32::from(admission.allowed), Ordering::Relaxed);
                tokio::task::yield_now().await;
            }
        });
    }
    while !tasks.is_empty() {
        world.actors.kill(Victim::Limiter(client(1)));
        world.actors.kill(Victim::Limiters);
        tokio::select! {
            Some(done) = tasks.join_next() => done.expect("no panic"),
            () = tokio::time::sleep(Duration::from_millis(1)) => {}
        }
    }
    assert_eq!(admitted.load(Ordering::Relaxed), 5000);
}

#[tokio::test(start_paused = true)]
async fn a_limiter_that_is_left_alone_refuses_and_says_when_to_try_again() {
    let restarts = actors::RestartPolicy {
        failures_max: 0,
        ..Default::default()
    };
    let world = World::start_with(ActorSettings {
        restarts,
        ..ActorSettings::default()
    })
    .await;
    world.actors.kill(Victim::Limiters);
    until(async || !world.actors.health.is_ready()).await;
    let admission = world.actors.limiter.admit(client(1), LimitClass::Token).await;
    assert!(!admission.allowed && admission.retry_after > Duration::ZERO);
    until(async || world.actors.health.is_ready()).await;
    assert!(world.actors.limiter.admit(client(1), LimitClass::Token).await.allowed);
}
