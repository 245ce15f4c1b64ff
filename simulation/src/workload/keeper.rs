//! Rotates and revokes credentials, and tries at once what should be dead: the old secret, and tokens got with the
//! credential.

use std::time::Duration;

use super::caller::Caller;
use super::population::{Duty, Holder};

const PAUSE: Duration = Duration::from_millis(200);
/// How many of a credential's tokens are looked at.
const TOKENS: usize = 3;

pub(super) async fn run(mut caller: Caller) {
    while caller.pause(PAUSE).await {
        let holder = caller.shared.population().holder(Duty::Rekeyed, &mut caller.random);
        if let Some(holder) = holder {
            let next = if caller.random.happens(500) {
                rotate(&mut caller, &holder).await
            } else {
                replace(&mut caller, &holder).await
            };
            caller.shared.population().replace(&holder.agent, next);
        }
    }
}

/// The agent with its new secret; `None` if nobody knows it because the answer was lost.
async fn rotate(caller: &mut Caller, holder: &Holder) -> Option<Holder> {
    let target = caller.target();
    let Some((answer, client)) = caller.rotate(&target, holder).await else {
        return Some(holder.clone());
    };
    if !answer.may_be_done() {
        return Some(holder.clone());
    }
    let client = client?;
    for target in caller.shared.targets() {
        caller
            .issue_with_old_secret(&target, &holder.credential, &holder.client)
            .await;
    }
    Some(Holder {
        client,
        ..holder.clone()
    })
}

/// The agent with another credential instead of the one that is revoked.
async fn replace(caller: &mut Caller, holder: &Holder) -> Option<Holder> {
    let tokens = caller
        .shared
        .population()
        .newest(TOKENS, |token| token.credential == holder.credential);
    caller.shared.population().condemn(&tokens);
    let target = caller.target();
    let answer = caller.revoke_credential(&target, holder).await;
    if !answer.is_some_and(|answer| answer.is_done()) {
        // It may be revoked or not; it is used on, and whatever comes of that is judged.
        return Some(holder.clone());
    }
    for token in &tokens {
        caller.introspect_everywhere(token).await;
    }
    let target = caller.target();
    let _ = caller.issue(&target, holder).await;
    let (credential, client) = caller.make_credential(&target, &holder.agent).await?;
    Some(Holder {
        credential,
        client,
        ..holder.clone()
    })
}
