//! What can be found out about a configuration on this machine before anything is made: whether the files and the directory
//! that it names can be used. Nothing is connected to and nothing is left behind.

use std::path::Path;

use super::certificate_watch::CertificateWatch;
use super::error::StartError;
use super::foundation::check_data_directory;
use super::listener_tls::ListenerTls;
use super::machine::Machine;
use super::{master_key, peer_link};
use crate::config::{Config, Mistake};
use crate::http::certificates::PemPaths;

/// Everything that is wrong with what the configuration names.
pub fn preflight(config: &Config) -> Vec<Mistake> {
    let master_keys = master_key::check(config).into_iter();
    let data_directory = check_data_directory(&config.cluster.data_dir).err();
    let mut mistakes = certificate("server.tls", ListenerTls::of_agents(config));
    mistakes.extend(certificate("server.operator_tls", ListenerTls::of_operators(config)));
    let peers = peer_link::tls(&config.cluster, &Machine::real()).err();
    mistakes.extend(peers.map(|error| mistake("cluster.tls", error)));
    mistakes.extend(master_keys.map(|(place, error)| mistake(place, error)));
    mistakes.extend(data_directory.map(|error| mistake("cluster.data_dir", error)));
    mistakes
}

/// Each file of a listener's TLS that can't be read; if all can, what is wrong with them together.
fn certificate(section: &str, paths: Option<PemPaths>) -> Vec<Mistake> {
    let Some(paths) = paths else {
        return Vec::new();
    };
    let ca = paths.operators.as_ref().map(|operators| ("ca", &operators.ca));
    let unreadable: Vec<Mistake> = [("cert", &paths.cert), ("key", &paths.key)]
        .into_iter()
        .chain(ca)
        .filter_map(|(file, path)| Some(mistake(&format!("{section}.{file}"), read_error(path)?)))
        .collect();
    if !unreadable.is_empty() {
        return unreadable;
    }
    let unusable = CertificateWatch::open(paths).err();
    unusable
        .map(|error| mistake(section, StartError::Tls(error)))
        .into_iter()
        .collect()
}

fn read_error(path: &Path) -> Option<String> {
    let error = std::fs::File::open(path).err()?;
    Some(format!("{} can't be read: {error}", path.display()))
}

fn mistake(place: &str, reason: impl ToString) -> Mistake {
    Mistake {
        place: place.to_owned(),
        reason: reason.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use super::*;
    use crate::config::Source;

    /// The places of the mistakes of a configuration whose `@` stands for a scratch directory.
    fn places(scratch: &Path, toml: &str) -> Vec<String> {
        let toml = toml.replace('@', &scratch.display().to_string());
        let source = Source::toml("agentidp.toml", &toml).expect("TOML");
        let (config, _, _) = Config::inspect(vec![source]);
        preflight(&config).into_iter().map(|mistake| mistake.place).collect()
    }

    fn entries(folder: &Path) -> Vec<PathBuf> {
        let entries = std::fs::read_dir(folder).expect("readable");
        entries.map(|entry| entry.expect("readable").path()).collect()
    }

    #[test]
    fn nothing_is_wrong_with_what_is_yet_to_be_made_and_nothing_is_made() {
        let scratch = tempfile::tempdir().expect("a temporary directory");
        assert!(places(scratch.path(), "[cluster]\ndata_dir = '@/deep/data'").is_empty());
        assert!(entries(scratch.path()).is_empty());
    }

    #[test]
    fn everything_that_can_not_be_used_is_told_at_once() {
        let scratch = tempfile::tempdir().expect("a temporary directory");
        std::fs::write(scratch.path().join("file"), "nonsense").expect("writable");
        let missing = "[server]\ntls.cert = '@/no.crt'\ntls.key = '@/no.key'\n\
                       [keys]\nmaster_key = 'short'\n[cluster]\ndata_dir = '@/file/data'\n\
                       tls.ca = '@/no.ca'\ntls.cert = '@/no.crt'\ntls.key = '@/no.key'";
        let missing = missing.replace(
            "[keys]",
            "operator_tls.ca = '@/no.ca'\noperator_tls.cert = '@/no.crt'\noperator_tls.key = '@/no.key'\n[keys]",
        );
        let missing = missing.as_str();
        let all = [
            "server.tls.cert",
            "server.tls.key",
            "server.operator_tls.cert",
            "server.operator_tls.key",
            "server.operator_tls.ca",
            "cluster.tls",
            "keys.master_key",
            "cluster.data_dir",
        ];
        assert_eq!(places(scratch.path(), missing), all);
        let malformed = "[server]\ntls.cert = '@/file'\ntls.key = '@/file'\n[cluster]\ndata_dir = '@'";
        assert_eq!(places(scratch.path(), malformed), ["server.tls"]);
    }

    #[test]
    fn master_keys_are_looked_at_where_they_lie() {
        let scratch = tempfile::tempdir().expect("a temporary directory");
        let former = "[keys]\nformer_master_key_files = ['@/a', '@/b']\n[cluster]\ndata_dir = '@'";
        assert_eq!(places(scratch.path(), former), ["keys.former_master_key_files"; 2]);
        std::fs::write(scratch.path().join("master.key"), "short").expect("writable");
        assert_eq!(places(scratch.path(), "[cluster]\ndata_dir = '@'"), ["keys.master_key"]);
    }
}
