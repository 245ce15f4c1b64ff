//! The state against a naive model of it, and the properties that the guarantees rest upon.

mod image_tests;
mod key_tests;
mod model;
mod rotation_tests;

use domain::{
    AgentId, CredentialId, OrganizationId, Revision, Revocation, Subject, Timestamp, TokenFacts, TokenFamily, TokenId,
};
use proptest::prelude::*;
use uuid::Uuid;

use super::revocations::FORGET_MARGIN;
use super::*;
use crate::fixtures::token_issued_at;
use model::Model;

/// Few ids, so that random commands meet.
const IDS: u128 = 6;
/// Seconds within which random revocations and ticks lie.
const SPAN: i64 = 4_000;

fn uuid(number: u128) -> Uuid {
    Uuid::from_u128(number)
}

fn token(number: u128, issued_at: u64) -> TokenFacts {
    token_issued_at(Revision(issued_at), number)
}

fn subject() -> impl Strategy<Value = Subject> {
    (0..5u8, 0..IDS).prop_map(|(kind, number)| match kind {
        0 => Subject::Token(TokenId(uuid(number))),
        1 => Subject::Family(TokenFamily(uuid(number))),
        2 => Subject::Credential(CredentialId(uuid(number))),
        3 => Subject::Agent(AgentId(uuid(number))),
        _ => Subject::Organization(OrganizationId(uuid(number))),
    })
}

fn revoke(subject: Subject, forget_at: i64) -> Command {
    Command::Revoke(Revocation {
        subject,
        forget_at: Timestamp::from_seconds(forget_at),
    })
}

fn tick(seconds: i64) -> Command {
    Command::Tick {
        now: Timestamp::from_seconds(seconds),
    }
}

fn any_revoke() -> impl Strategy<Value = Command> {
    (subject(), 0..SPAN).prop_map(|(subject, forget_at)| revoke(subject, forget_at))
}

fn any_command() -> impl Strategy<Value = Command> {
    prop_oneof![
        4 => any_revoke(),
        2 => (0..IDS).prop_map(|number| Command::AgentChanged(AgentId(uuid(number)))),
        1 => (0..IDS).prop_map(|number| Command::OrganizationChanged(OrganizationId(uuid(number)))),
        2 => (0..SPAN * 2).prop_map(tick),
        1 => (0..40_i64).prop_map(|hours| tick(hours * 3_600)),
    ]
}

fn commands() -> impl Strategy<Value = Vec<Command>> {
    proptest::collection::vec(any_command(), 0..60)
}

fn after(commands: &[Command]) -> State {
    let mut state = State::default();
    apply_all(&mut state, commands.iter().cloned());
    state
}

fn apply_all(state: &mut State, commands: impl IntoIterator<Item = Command>) {
    for command in commands {
        state.apply(&command);
    }
}

/// Everything that can be asked about the few ids.
fn answers(state: &State) -> Vec<bool> {
    let mut answers = Vec::new();
    for number in 0..IDS {
        for issued_at in 0..70 {
            answers.push(state.is_revoked(&token(number, issued_at)));
            let (organization, agent) = (OrganizationId(uuid(number)), AgentId(uuid(IDS - 1 - number)));
            answers.push(state.is_outdated(organization, agent, Revision(issued_at)));
        }
    }
    answers
}

proptest! {
    #[test]
    fn the_state_answers_as_the_naive_model_does(commands in commands()) {
        let small = Limits { revocations: 9, changes: 5, ..Limits::DEFAULT };
        let (mut state, mut model) = (State::with_limits(small), Model::new(small));
        for command in &commands {
            prop_assert_eq!(state.apply(command), model.apply(command));
            prop_assert_eq!(state.revocation_count(), model.revocation_count());
        }
        for number in 0..IDS {
            for issued_at in 0..70 {
                let facts = token(number, issued_at);
                prop_assert_eq!(state.is_revoked(&facts), model.is_revoked(&facts), "{:?}", facts);
                let (organization, agent) = (OrganizationId(uuid(number)), AgentId(uuid(IDS - 1 - number)));
                let read_at = Revision(issued_at);
                prop_assert_eq!(
                    state.is_outdated(organization, agent, read_at),
                    model.is_outdated(organization, agent, read_at)
                );
            }
        }
    }

    #[test]
    fn the_same_commands_make_the_same_state(commands in commands()) {
        prop_assert_eq!(after(&commands), after(&commands));
    }

    #[test]
    fn how_commands_are_cut_into_batches_makes_no_difference(commands in commands(), cut in 0..60usize) {
        let (first, second) = commands.split_at(cut.min(commands.len()));
        let mut state = after(first);
        let snapshot = state.clone();
        apply_all(&mut state, second.iter().cloned());
        prop_assert_eq!(&state, &after(&commands));
        prop_assert_eq!(snapshot, after(first), "a copy does not change with the original");
    }

    #[test]
    fn revocations_of_tokens_and_families_commute(
        revocations in proptest::collection::vec((0..2u8, 0..IDS, 0..SPAN), 0..20),
        seed: u64,
    ) {
        let revocations: Vec<Command> = revocations
            .iter()
            .map(|(kind, number, forget_at)| {
                let subject = if *kind == 0 {
                    Subject::Token(TokenId(uuid(*number)))
                } else {
                    Subject::Family(TokenFamily(uuid(*number)))
                };
                revoke(subject, *forget_at)
            })
            .collect();
        let mut shuffled = revocations.clone();
        shuffled.sort_by_key(|command| crc32fast::hash(format!("{seed}{command:?}").as_bytes()));
        prop_assert_eq!(after(&revocations), after(&shuffled));
    }

    #[test]
    fn revoking_again_never_brings_anything_back(commands in commands(), repeated in proptest::collection::vec(0..60usize, 0..10)) {
        let once = after(&commands);
        let mut again = once.clone();
        let revocations: Vec<&Command> =
            commands.iter().filter(|command| matches!(command, Command::Revoke(_))).collect();
        for position in repeated {
            if let Some(command) = revocations.get(position) {
                again.apply(command);
            }
        }
        for (before, after) in answers(&once).iter().zip(answers(&again)) {
            prop_assert!(!before || after);
        }
    }

    #[test]
    fn no_tick_forgets_what_is_not_over(commands in commands(), now in 0..SPAN * 3) {
        let before = after(&commands);
        let mut ticked = before.clone();
        ticked.apply(&tick(now));
        let living: Vec<_> = before
            .revocations
            .images()
            .filter(|(_, _, forget_at)| forget_at.plus(FORGET_MARGIN) > Timestamp::from_seconds(now))
            .collect();
        let kept: Vec<_> = ticked.revocations.images().collect();
        for image in &living {
            prop_assert!(kept.contains(image), "{:?} was forgotten at {}", image, now);
        }
        if now >= before.now.as_seconds() {
            prop_assert_eq!(kept, living);
        }
    }
}

#[test]
fn every_criterion_kills_what_it_names_and_nothing_else() {
    let subjects = [
        Subject::Token(TokenId(uuid(1))),
        Subject::Family(TokenFamily(uuid(1))),
        Subject::Credential(CredentialId(uuid(1))),
        Subject::Agent(AgentId(uuid(1))),
        Subject::Organization(OrganizationId(uuid(1))),
    ];
    for subject in subjects {
        let mut state = after(&[tick(1), tick(2)]);
        let revision = state.apply(&revoke(subject, 100)).revision;
        assert_eq!(revision, Revision(3));
        assert!(state.is_revoked(&token(1, 2)), "{subject:?}: issued before");
        assert!(!state.is_revoked(&token(2, 2)), "{subject:?}: another");
        let for_ever = matches!(subject, Subject::Token(_) | Subject::Family(_));
        assert_eq!(
            state.is_revoked(&token(1, 3)),
            for_ever,
            "{subject:?}: issued with the revocation in sight"
        );
    }
}

#[test]
fn revoking_an_agent_again_kills_what_was_issued_in_between() {
    let agent = Subject::Agent(AgentId(uuid(1)));
    let mut state = after(&[revoke(agent, 100)]);
    assert!(!state.is_revoked(&token(1, 1)));
    state.apply(&revoke(agent, 50));
    assert!(state.is_revoked(&token(1, 1)));
    state.apply(&tick(50 + 600));
    assert!(state.is_revoked(&token(1, 1)), "the later of the two times counts");
    state.apply(&tick(100 + 600));
    assert!(!state.is_revoked(&token(1, 1)));
    assert_eq!(state.revocation_count(), 0);
}

#[test]
fn a_revocation_outlives_its_last_token_by_the_margin() {
    let mut state = after(&[revoke(Subject::Token(TokenId(uuid(1))), 1_000)]);
    let at = |state: &mut State, millis| {
        state.apply(&Command::Tick {
            now: Timestamp::from_millis(millis),
        });
        state.is_revoked(&token(1, 0))
    };
    assert!(at(&mut state, 1_600_000 - 1));
    assert!(!at(&mut state, 1_600_000));
}

#[test]
fn time_does_not_go_back() {
    let mut state = after(&[tick(10_000), revoke(Subject::Token(TokenId(uuid(1))), 1_000)]);
    let before = state.clone();
    state.apply(&tick(9_999));
    assert_eq!(
        State {
            revision: before.revision,
            ..state.clone()
        },
        before
    );
    assert!(!state.has_expired(Timestamp::from_seconds(9_999)));
    assert!(state.has_expired(Timestamp::from_seconds(10_000)));
    state.apply(&tick(10_000));
    assert_eq!(state.revocation_count(), 0);
}

#[test]
fn a_full_deny_list_refuses_and_forgets_nothing() {
    let mut state = State::with_limits(Limits {
        revocations: 2,
        ..Limits::DEFAULT
    });
    let revoke_number = |number| revoke(Subject::Token(TokenId(uuid(number))), 100);
    assert_eq!(state.apply(&revoke_number(1)).refusal, None);
    assert_eq!(state.apply(&revoke_number(2)).refusal, None);
    assert_eq!(state.apply(&revoke_number(3)).refusal, Some(Refusal::DenyListFull));
    assert_eq!(
        state.apply(&revoke_number(2)).refusal,
        None,
        "a repetition takes no room"
    );
    assert!(state.is_revoked(&token(1, 0)) && state.is_revoked(&token(2, 0)) && !state.is_revoked(&token(3, 0)));
}

#[test]
fn one_tick_forgets_a_bounded_number() {
    let mut state = State::with_limits(Limits {
        forgotten_by_tick: 3,
        ..Limits::DEFAULT
    });
    apply_all(
        &mut state,
        (0..5).map(|number| revoke(Subject::Token(TokenId(uuid(number))), 100)),
    );
    apply_all(
        &mut state,
        (0..5).map(|number| Command::AgentChanged(AgentId(uuid(number)))),
    );
    let late = tick(10 * 24 * 3_600);
    state.apply(&late);
    assert_eq!((state.revocation_count(), state.changes.images().count()), (2, 2));
    state.apply(&late);
    assert_eq!((state.revocation_count(), state.changes.images().count()), (0, 0));
    assert!(!state.has_expired(Timestamp::from_seconds(20 * 24 * 3_600)));
}

#[test]
fn rows_are_outdated_from_the_change_on_until_they_are_read_again() {
    let (organization, agent, other) = (OrganizationId(uuid(1)), AgentId(uuid(2)), AgentId(uuid(3)));
    let mut state = after(&[tick(1), Command::AgentChanged(agent)]);
    assert!(state.is_outdated(organization, agent, Revision(1)));
    assert!(!state.is_outdated(organization, agent, Revision(2)));
    assert!(!state.is_outdated(organization, other, Revision(1)));
    state.apply(&Command::OrganizationChanged(organization));
    assert!(state.is_outdated(organization, other, Revision(2)));
    assert!(!state.is_outdated(organization, agent, Revision(3)));
    assert!(!state.is_outdated(OrganizationId(uuid(9)), other, Revision(2)));
}

#[test]
fn forgotten_changes_count_as_changed() {
    let (organization, agent) = (OrganizationId(uuid(1)), |number| AgentId(uuid(number)));
    let mut state = State::with_limits(Limits {
        changes: 2,
        ..Limits::DEFAULT
    });
    apply_all(&mut state, (0..3).map(|number| Command::AgentChanged(agent(number))));
    assert_eq!(state.changes.forgotten_up_to(), Revision(1));
    assert!(
        state.is_outdated(organization, agent(77), Revision(0)),
        "nobody knows any more"
    );
    assert!(!state.is_outdated(organization, agent(77), Revision(1)));
    state.apply(&tick(1));
    state.apply(&tick(24 * 3_600));
    assert_eq!(state.changes.images().count(), 0, "all were older than a day");
    assert!(state.is_outdated(organization, agent(77), Revision(2)));
    assert!(!state.is_outdated(organization, agent(2), Revision(3)));
}
