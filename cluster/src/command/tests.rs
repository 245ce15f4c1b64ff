//! The bytes of each command. **These must never change**: a log that was written by one version is read by the next.

use domain::{CredentialId, KeyTerms, Subject, TokenFamily, TokenId};

use super::*;
use crate::codec;
use crate::key_command::{Authority, KeyChange, Resealed, SealedPlace};
use crate::sealing::{MasterKey, MasterKeys};

struct Ones;
impl domain::ports::Entropy for Ones {
    fn fill(&self, bytes: &mut [u8]) {
        bytes.fill(1);
    }
}

fn sealed() -> Sealed {
    let bytes: [u8; 32] = std::array::from_fn(|index| u8::try_from(index).unwrap());
    MasterKeys::new(vec![MasterKey::from_bytes(&bytes).unwrap()])
        .unwrap()
        .seal("context", b"secret", &Ones)
}

fn key() -> SealedKey {
    SealedKey {
        key_id: KeyId("kid".to_owned()),
        algorithm: SigningAlgorithm::Es256,
        public_jwk: "{}".to_owned(),
        sealed: sealed(),
    }
}

fn revoke(subject: Subject) -> Command {
    Command::Revoke(Revocation {
        subject,
        forget_at: Timestamp::from_millis(1_700_000_000_000),
    })
}

fn kid() -> KeyId {
    KeyId("kid".to_owned())
}

fn keys(authority: Authority, change: KeyChange) -> Command {
    let at = Timestamp::from_millis(1_700_000_000_000);
    Command::Keys(KeyCommand {
        node_id: 3,
        authority,
        at,
        change,
    })
}

fn operator() -> Authority {
    let from = Some("192.0.2.1".to_owned());
    Authority::Operator { from }
}

fn resealed() -> Vec<Resealed> {
    let places = [SealedPlace::DigestKey, SealedPlace::SigningKey(kid())];
    places
        .map(|place| Resealed {
            place,
            sealed: sealed(),
        })
        .to_vec()
}

#[test]
fn the_bytes_of_every_command_stay_as_they_are() {
    let id = Uuid::from_u128(0x0102_0304_0506_0708_090a_0b0c_0d0e_0f10);
    let at = Timestamp::from_millis(1_700_000_000_000);
    let bootstrap = BootstrapCommand {
        cluster_id: id,
        keys: vec![key()],
        digest_key: sealed(),
        at,
    };
    let commands = [
        Command::Bootstrap(bootstrap),
        revoke(Subject::Token(TokenId(id))),
        revoke(Subject::Family(TokenFamily(id))),
        revoke(Subject::Credential(CredentialId(id))),
        revoke(Subject::Agent(AgentId(id))),
        revoke(Subject::Organization(OrganizationId(id))),
        Command::AgentChanged(AgentId(id)),
        Command::OrganizationChanged(OrganizationId(id)),
        Command::Tick { now: at },
        Command::PublishKey { key: key(), at },
        Command::MakeKeyCurrent {
            key_id: KeyId("kid".to_owned()),
            at,
        },
        Command::RemoveKey {
            key_id: KeyId("kid".to_owned()),
        },
        Command::Invite {
            digest: [7; 32],
            expires_at: at,
        },
        Command::RedeemInvite {
            digest: [7; 32],
            node_id: 9,
            now: at,
        },
        Command::Place {
            members: vec![1, 2, 300],
            expected: 7,
        },
        keys(Authority::Founder, KeyChange::Terms(KeyTerms::DEFAULT)),
        keys(Authority::Schedule { epoch: 7 }, KeyChange::Publish(key())),
        keys(Authority::Schedule { epoch: 7 }, KeyChange::MakeCurrent(kid())),
        keys(Authority::Schedule { epoch: 7 }, KeyChange::Remove(kid())),
        keys(operator(), KeyChange::Replace(vec![key()])),
        keys(Authority::Schedule { epoch: 7 }, KeyChange::Reseal(resealed())),
        keys(Authority::Schedule { epoch: 7 }, KeyChange::Recorded(Revision(9))),
        Command::RaiseFormat {
            to: 3,
            software: "0.2.0".to_owned(),
        },
    ];
    let expected: Vec<&str> = include_str!("golden.txt").lines().collect();
    let written: Vec<String> = commands
        .iter()
        .map(|command| {
            codec::encode_as(command.format(), command)
                .iter()
                .map(|byte| format!("{byte:02x}"))
                .collect()
        })
        .collect();
    assert_eq!(written, expected, "written now:\n{}\n", written.join("\n"));
    for command in commands {
        assert!(
            codec::encode(&command).len() <= command.encoded_length_at_most(),
            "{command:?}"
        );
        assert_eq!(codec::decode(&codec::encode(&command)), Ok(command));
    }
}

#[test]
fn a_batch_is_its_name_and_a_list_of_commands() {
    let batch = Batch {
        id: BatchId {
            node_id: 1,
            incarnation: 2,
            number: 3,
        },
        commands: vec![Command::Tick { now: Timestamp::EPOCH }; 3].into(),
    };
    let bytes = codec::encode(&batch);
    assert_eq!(bytes, [2, 1, 2, 3, 3, 4, 0, 4, 0, 4, 0]);
    assert_eq!(codec::decode(&bytes), Ok(batch.clone()));
    assert_eq!(batch.to_string(), "3 commands, batch 3 of node 1");
}
