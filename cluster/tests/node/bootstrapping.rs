//! The first keys of an installation, and what opens them.

use cluster::{ClusterError, ClusterNode, ClusterPorts, KeyState, SealingError};
use domain::SigningAlgorithm;

use crate::support::{bootstrap, config, master_keys, ports, signing_key, start};

#[tokio::test]
async fn keys_come_back_as_they_were_after_a_restart() {
    let folder = tempfile::tempdir().unwrap();
    let node = start(folder.path()).await.unwrap();
    assert!(!node.handle().is_bootstrapped());
    assert!(matches!(
        node.handle().signing_keys().map(|_| ()),
        Err(ClusterError::NotBootstrapped)
    ));
    assert!(matches!(
        node.handle().digest_key().map(|_| ()),
        Err(ClusterError::NotBootstrapped)
    ));
    let mut changes = node.handle().keys_changed();
    node.handle().bootstrap(bootstrap()).await.unwrap();
    assert!(changes.has_changed().unwrap(), "whoever watches the keys is told");
    changes.mark_unchanged();
    let mut other = bootstrap();
    other.keys = vec![signing_key("other", SigningAlgorithm::EdDsa)];
    node.handle()
        .bootstrap(other)
        .await
        .expect("a second bootstrap changes nothing");
    assert!(!changes.has_changed().unwrap());
    node.shutdown().await.unwrap();

    let node = start(folder.path()).await.unwrap();
    let keys = node.handle().signing_keys().unwrap().keys;
    let names: Vec<&str> = keys.iter().map(|key| key.key_id.0.as_str()).collect();
    assert_eq!(names, ["ed", "es"]);
    let opened = keys[0].pkcs8.as_ref().unwrap().as_ref().unwrap();
    assert_eq!(***opened, *b"private half of ed");
    assert_eq!(
        (keys[1].algorithm, keys[1].state),
        (SigningAlgorithm::Es256, KeyState::Current)
    );
    assert_eq!(*node.handle().digest_key().unwrap(), [9; 32]);
    node.shutdown().await.unwrap();
}

#[tokio::test]
async fn no_secret_is_on_the_disk() {
    let folder = tempfile::tempdir().unwrap();
    let node = start(folder.path()).await.unwrap();
    node.handle().bootstrap(bootstrap()).await.unwrap();
    node.handle().snapshot().await.unwrap();
    while node.handle().status().snapshot.is_none() {
        tokio::task::yield_now().await;
    }
    node.shutdown().await.unwrap();
    let (mut files, mut public) = (0, 0);
    let mut folders = vec![folder.path().to_owned()];
    while let Some(next) = folders.pop() {
        for item in std::fs::read_dir(next).unwrap() {
            let path = item.unwrap().path();
            if path.is_dir() {
                folders.push(path);
                continue;
            }
            let content = std::fs::read(&path).unwrap();
            let holds = |needle: &[u8]| content.windows(needle.len()).any(|window| window == needle);
            assert!(!holds(b"private half") && !holds(&[9; 32]), "{}", path.display());
            public += usize::from(holds(b"{\"kid\":\"ed\"}"));
            files += 1;
        }
    }
    assert!(
        files >= 3 && public >= 2,
        "{files} files were searched, {public} hold the public half: log and snapshot"
    );
}

#[tokio::test]
async fn a_wrong_master_key_is_told_apart_from_damage() {
    let folder = tempfile::tempdir().unwrap();
    let node = start(folder.path()).await.unwrap();
    node.handle().bootstrap(bootstrap()).await.unwrap();
    node.shutdown().await.unwrap();

    let wrong = ClusterPorts {
        master_keys: master_keys(8),
        ..ports()
    };
    let node = ClusterNode::start(config(folder.path()), wrong).await.unwrap();
    assert!(node.handle().is_bootstrapped());
    let refusal = node.handle().check_master_keys().unwrap_err();
    assert!(
        matches!(refusal, ClusterError::Sealing(SealingError::WrongMasterKey { .. })),
        "{refusal}"
    );
    assert!(node.handle().digest_key().is_err());
    let keys = node.handle().signing_keys().unwrap().keys;
    assert!(
        keys.iter().all(|key| key.pkcs8.is_err() && !key.public_jwk.is_empty()),
        "what others sign can be verified without it"
    );
    node.shutdown().await.unwrap();
}
