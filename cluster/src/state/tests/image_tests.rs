//! The state as parts, and back.

use domain::SigningAlgorithm;

use super::super::image::{ImageError, ImagePart, Restoring};
use super::key_tests::bootstrap;
use super::*;

fn restored(parts: impl IntoIterator<Item = ImagePart>) -> Result<State, ImageError> {
    let mut restoring = Restoring::default();
    parts.into_iter().try_for_each(|part| restoring.add(part))?;
    restoring.finish()
}

proptest! {
    #[test]
    fn any_state_comes_back_from_its_parts(mut commands in commands()) {
        commands.insert(0, bootstrap(&[("a", SigningAlgorithm::EdDsa), ("b", SigningAlgorithm::Es256)]));
        let state = after(&commands);
        prop_assert_eq!(restored(state.parts()), Ok(state));
    }
}

#[test]
fn parts_are_of_bounded_size() {
    let mut state = State::default();
    apply_all(
        &mut state,
        (0..10_000).map(|number| revoke(Subject::Token(TokenId(uuid(number))), 1)),
    );
    let sizes: Vec<usize> = state
        .parts()
        .filter_map(|part| {
            if let ImagePart::Revocations(images) = part {
                Some(images.len())
            } else {
                None
            }
        })
        .collect();
    assert_eq!(sizes, [4_096, 4_096, 10_000 - 2 * 4_096]);
    assert_eq!(restored(state.parts()), Ok(state));
}

#[test]
fn parts_that_are_missing_repeated_or_contradictory_are_refused() {
    let state = after(&[
        revoke(Subject::Token(TokenId(uuid(1))), 5),
        Command::AgentChanged(AgentId(uuid(1))),
        bootstrap(&[("a", SigningAlgorithm::EdDsa)]),
    ]);
    let parts: Vec<ImagePart> = state.parts().collect();
    assert_eq!(restored([]), Err(ImageError::NoHead));
    assert_eq!(restored(parts[1..].to_vec()), Err(ImageError::NoHead));
    assert_eq!(restored(parts[..parts.len() - 1].to_vec()), Err(ImageError::NoEnd));
    let twice = |position: usize| {
        let mut parts = parts.clone();
        parts.insert(position, parts[position].clone());
        restored(parts)
    };
    assert_eq!(twice(0), Err(ImageError::OutOfPlace));
    assert_eq!(twice(parts.len() - 1), Err(ImageError::OutOfPlace));
    for (position, part) in parts.iter().enumerate().take(parts.len() - 1).skip(1) {
        assert_eq!(twice(position), Err(ImageError::Contradiction), "{part:?}");
    }
    let without_cutoff = ImagePart::Revocations(vec![(Subject::Agent(AgentId(uuid(1))), None, Timestamp::EPOCH)]);
    assert_eq!(
        restored([parts[0].clone(), without_cutoff]),
        Err(ImageError::Contradiction)
    );
}
