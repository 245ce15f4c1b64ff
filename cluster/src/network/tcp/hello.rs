//! The first thing that two nodes say to each other, and whether they go on. Its layout is the one thing that every
//! version reads and writes alike; see the page in [`super`].

use bytes::{Buf as _, BufMut as _, Bytes, BytesMut};
use uuid::Uuid;

use super::limits::HELLO_BYTES_MAX;
use super::standing::{self, Standing};

/// "A node is speaking", at the beginning of a hello and of a refusal.
const MAGIC: [u8; 8] = *b"AIDPpeer";
const KIND_HELLO: u8 = 1;
const KIND_REFUSED: u8 = 2;
const KIND_AGREED: u8 = 3;
/// A software version or a reason is cut off after this many bytes.
const TEXT_BYTES_MAX: usize = 255;
const _: () = assert!(8 + 1 + 2 + 2 + 8 + 17 + 1 + TEXT_BYTES_MAX + standing::BYTES <= HELLO_BYTES_MAX);

/// The wire versions that a node speaks, from the lowest to the highest.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Versions {
    pub(super) lowest: u16,
    pub(super) highest: u16,
}

/// What this version of the software speaks. A new version of the consensus library or of the messages is a new
/// version of the wire; the former one is given up when no node of the release before can be left.
pub(super) const VERSIONS: Versions = Versions { lowest: 1, highest: 1 };

/// What a node says of itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Hello {
    pub(super) versions: Versions,
    pub(super) node_id: u64,
    /// Absent while the node joins.
    pub(super) cluster_id: Option<Uuid>,
    pub(super) software: String,
    /// A node from before this was said has nothing to say here but the defaults.
    pub(super) standing: Standing,
}

/// A first message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Greeting {
    Hello(Hello),
    /// The other hello is not acceptable, and why.
    Refused(String),
    /// It is: the dialing side's answer to the listening side's hello.
    Agreed,
}

/// Why a message is no greeting.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("it did not say hello as a node does; check that its address is that of a node's cluster port")]
pub(super) struct NoGreeting;

impl Hello {
    /// Whether the two can talk, and in which version of the wire; else a reason that both can be told.
    pub(super) fn agree(&self, other: &Hello) -> Result<u16, String> {
        let (own, its) = (self, other);
        if own.node_id == its.node_id {
            return Err(format!(
                "both say that they are node {}; each needs an id of its own",
                own.node_id
            ));
        }
        if let (Some(ours), Some(theirs)) = (own.cluster_id, its.cluster_id)
            && ours != theirs
        {
            return Err(format!(
                "node {} belongs to cluster {ours}, node {} to cluster {theirs}",
                own.node_id, its.node_id
            ));
        }
        own.stand_together(its)?;
        let version = own.versions.highest.min(its.versions.highest);
        if version < own.versions.lowest.max(its.versions.lowest) {
            return Err(format!(
                "{} and {} have no version of the wire in common; bring the older one up to date",
                own.described(),
                its.described()
            ));
        }
        Ok(version)
    }

    fn described(&self) -> String {
        let Versions { lowest, highest } = self.versions;
        format!(
            "node {} ({}, wire versions {lowest} to {highest})",
            self.node_id, self.software
        )
    }
}

impl Greeting {
    pub(super) fn to_bytes(&self) -> Bytes {
        let mut bytes = BytesMut::from(&MAGIC[..]);
        match self {
            Greeting::Hello(hello) => {
                bytes.put_u8(KIND_HELLO);
                bytes.put_u16(hello.versions.lowest);
                bytes.put_u16(hello.versions.highest);
                bytes.put_u64(hello.node_id);
                bytes.put_u8(u8::from(hello.cluster_id.is_some()));
                bytes.put_slice(hello.cluster_id.unwrap_or_default().as_bytes());
                let software = cut(&hello.software).as_bytes();
                bytes.put_u8(u8::try_from(software.len()).expect("it was cut to at most 255 bytes"));
                bytes.put_slice(software);
                hello.standing.put(&mut bytes);
            }
            Greeting::Agreed => bytes.put_u8(KIND_AGREED),
            Greeting::Refused(reason) => {
                bytes.put_u8(KIND_REFUSED);
                bytes.put_slice(cut(reason).as_bytes());
            }
        }
        bytes.freeze()
    }

    pub(super) fn read(mut body: Bytes) -> Result<Self, NoGreeting> {
        if body.try_copy_to_array().ok_or(NoGreeting)? != MAGIC {
            return Err(NoGreeting);
        }
        match body.try_get_u8().map_err(|_| NoGreeting)? {
            KIND_HELLO => Self::read_hello(body).map(Greeting::Hello).ok_or(NoGreeting),
            KIND_AGREED => Ok(Greeting::Agreed),
            KIND_REFUSED => Ok(Greeting::Refused(printable(&body))),
            _ => Err(NoGreeting),
        }
    }

    fn read_hello(mut body: Bytes) -> Option<Hello> {
        let versions = Versions {
            lowest: body.try_get_u16().ok()?,
            highest: body.try_get_u16().ok()?,
        };
        let node_id = body.try_get_u64().ok()?;
        let is_member = body.try_get_u8().ok()?;
        let cluster_id = Uuid::from_bytes(body.try_copy_to_array()?);
        let software_bytes = usize::from(body.try_get_u8().ok()?);
        let software = printable(body.get(..software_bytes)?);
        body.advance(software_bytes);
        Some(Hello {
            versions,
            node_id,
            cluster_id: match is_member {
                0 => None,
                1 => Some(cluster_id),
                _ => return None,
            },
            software,
            standing: Standing::read(body),
        })
    }
}

/// Takes bytes of a fixed number from the front.
pub(super) trait TakeArray {
    fn try_copy_to_array<const N: usize>(&mut self) -> Option<[u8; N]>;
}

impl TakeArray for Bytes {
    fn try_copy_to_array<const N: usize>(&mut self) -> Option<[u8; N]> {
        let taken = *self.first_chunk::<N>()?;
        self.advance(N);
        Some(taken)
    }
}

/// What another node wrote, safe to be logged.
pub(super) fn printable(text: &[u8]) -> String {
    let text = String::from_utf8_lossy(text);
    let shown = text.chars().map(|c| if c.is_control() { ' ' } else { c });
    cut(&shown.collect::<String>()).to_owned()
}

fn cut(text: &str) -> &str {
    &text[..text.floor_char_boundary(TEXT_BYTES_MAX)]
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn hello(node_id: u64, cluster: Option<u128>, lowest: u16, highest: u16) -> Hello {
        Hello {
            versions: Versions { lowest, highest },
            node_id,
            cluster_id: cluster.map(Uuid::from_u128),
            software: "1.2.3".to_owned(),
            standing: Standing::default(),
        }
    }

    #[test]
    fn the_layout_never_changes() {
        let bytes = Greeting::Hello(hello(258, Some(1), 1, 2)).to_bytes();
        let expected: &[&[u8]] = &[
            b"AIDPpeer\x01",
            &[0, 1, 0, 2],
            &[0, 0, 0, 0, 0, 0, 1, 2],
            &[1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1],
            b"\x051.2.3",
            &[2, 2, 0, 0, 0, 0, 0, 0, 0, 0, 0],
            &[0; 16],
        ];
        assert_eq!(bytes, expected.concat());
        assert_eq!(
            Greeting::Refused("no".to_owned()).to_bytes(),
            b"AIDPpeer\x02no".as_slice()
        );
        assert_eq!(Greeting::Agreed.to_bytes(), b"AIDPpeer\x03".as_slice());
        assert_eq!(Greeting::read(Greeting::Agreed.to_bytes()), Ok(Greeting::Agreed));
    }

    #[test]
    fn what_later_versions_add_is_skipped_and_what_is_missing_is_noticed() {
        let standing = Standing {
            known: 7,
            in_force: 6,
            is_empty: true,
            restored: 5,
            lineage: Uuid::from_u128(4),
        };
        let modest = hello(2, None, 1, 9);
        let greeting = Greeting::Hello(Hello {
            standing,
            ..modest.clone()
        });
        let bytes = greeting.to_bytes();
        let longer = Bytes::from([&bytes[..], b"and more"].concat());
        assert_eq!(Greeting::read(longer), Ok(greeting));
        // A node from before standings were said.
        let before = bytes.len() - standing::BYTES;
        for length in before..bytes.len() {
            assert_eq!(
                Greeting::read(bytes.slice(..length)),
                Ok(Greeting::Hello(modest.clone()))
            );
        }
        for length in 0..before {
            assert_eq!(Greeting::read(bytes.slice(..length)), Err(NoGreeting));
        }
        assert!(Greeting::read(Bytes::from_static(b"GET / HTTP/1.1\r\n\r\n")).is_err());
    }

    #[test]
    fn nodes_agree_on_the_highest_version_that_both_know() {
        let version = |ours: (u16, u16), theirs: (u16, u16)| {
            hello(1, None, ours.0, ours.1).agree(&hello(2, None, theirs.0, theirs.1))
        };
        assert_eq!(version((1, 1), (1, 1)), Ok(1));
        assert_eq!(version((1, 3), (2, 7)), Ok(3));
        assert!(version((1, 1), (2, 3)).unwrap_err().contains("bring the older one"));
        assert!(version((4, 5), (2, 3)).is_err());
    }

    #[test]
    fn other_clusters_and_the_same_number_are_refused() {
        let agree = |node_id, cluster| hello(1, Some(1), 1, 1).agree(&hello(node_id, cluster, 1, 1));
        assert!(agree(2, Some(1)).is_ok());
        assert!(agree(2, None).is_ok(), "it joins");
        assert!(agree(2, Some(2)).unwrap_err().contains("belongs to cluster"));
        assert!(agree(1, Some(1)).unwrap_err().contains("both say"));
    }

    fn standing(known: u8, in_force: u8, restored: u64, lineage: u128, is_empty: bool) -> Hello {
        Hello {
            standing: Standing {
                known,
                in_force,
                is_empty,
                restored,
                lineage: Uuid::from_u128(lineage),
            },
            ..hello(1, Some(1), 1, 1)
        }
    }

    #[test]
    fn a_node_that_does_not_know_the_format_in_force_is_refused_whoever_asks() {
        let agree = |known, in_force| {
            let other = Hello {
                node_id: 2,
                software: "0.9".to_owned(),
                ..standing(known, in_force, 0, 0, false)
            };
            let own = standing(3, 3, 0, 0, false);
            let (there, back) = (own.agree(&other), other.agree(&own));
            assert_eq!(there.is_ok(), back.is_ok());
            (there.map(drop), own.outlives(&other), other.outlives(&own))
        };
        assert_eq!(agree(3, 2), (Ok(()), false, false), "it will be brought there");
        assert_eq!(agree(4, 3), (Ok(()), false, false), "it knows more");
        let (refused, own_is_ahead, _) = agree(2, 2);
        let reason = refused.unwrap_err();
        assert!(
            own_is_ahead && reason.contains("install agentidp 1.2.3 or a later version on node 2"),
            "{reason}"
        );
        let (refused, _, other_is_ahead) = agree(4, 4);
        let reason = refused.unwrap_err();
        assert!(
            other_is_ahead && reason.contains("install agentidp 0.9 or a later version on node 1"),
            "{reason}"
        );
    }

    #[test]
    fn a_restored_cluster_and_the_one_before_never_speak() {
        let agree = |own: (u64, u128, bool), other: (u64, u128, bool)| {
            let other = Hello {
                node_id: 2,
                ..standing(3, 3, other.0, other.1, other.2)
            };
            let own = standing(3, 3, own.0, own.1, own.2);
            (own.agree(&other).map(drop), own.outlives(&other))
        };
        assert_eq!(agree((1, 7, false), (1, 7, false)), (Ok(()), false));
        assert_eq!(agree((1, 7, false), (0, 0, true)), (Ok(()), false), "it joins");
        let (refused, outlived) = agree((1, 7, false), (0, 0, false));
        assert!(outlived && refused.unwrap_err().contains("remove the data directory of node 2"));
        let (refused, outlived) = agree((1, 7, false), (2, 9, false));
        assert!(!outlived && refused.unwrap_err().contains("remove the data directory of node 1"));
        let (refused, outlived) = agree((1, 7, false), (1, 8, false));
        assert!(!outlived && refused.unwrap_err().contains("restored apart from each other"));
    }

    #[test]
    fn what_others_write_can_be_logged() {
        let refused = Greeting::Refused("line\nforged \u{1b}[31m".to_owned());
        let read = Greeting::read(refused.to_bytes());
        assert_eq!(read, Ok(Greeting::Refused("line forged  [31m".to_owned())));
        let long = Greeting::Refused("ä".repeat(1_000)).to_bytes();
        assert!(long.len() <= HELLO_BYTES_MAX);
        assert!(Greeting::read(long).is_ok());
    }

    proptest! {
        #[test]
        fn hellos_come_back(lowest: u16, highest: u16, node_id: u64, cluster: Option<u128>, software in "[ -~]{0,255}") {
            let hello = Hello { software, ..hello(node_id, cluster, lowest, highest) };
            let greeting = Greeting::Hello(hello);
            prop_assert_eq!(Greeting::read(greeting.to_bytes()), Ok(greeting));
        }

        #[test]
        fn arbitrary_bytes_never_panic(bytes in proptest::collection::vec(any::<u8>(), 0..100)) {
            let _ = Greeting::read(Bytes::from(bytes.clone()));
            let with_magic = [&MAGIC[..], &bytes].concat();
            let _ = Greeting::read(Bytes::from(with_magic));
            let as_hello = [&MAGIC[..], &[KIND_HELLO], &bytes].concat();
            let _ = Greeting::read(Bytes::from(as_hello));
        }
    }
}
