//! Why the laboratory could not do what it was asked for: its own trouble, not the nodes'.

/// A step that failed, as a sentence.
#[derive(Debug)]
pub struct Failure(String);

impl Failure {
    /// With what went wrong.
    pub fn new(what: impl Into<String>) -> Self {
        Self(what.into())
    }
}

impl std::fmt::Display for Failure {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str(&self.0)
    }
}

impl std::error::Error for Failure {}

impl From<std::io::Error> for Failure {
    fn from(error: std::io::Error) -> Self {
        Self(error.to_string())
    }
}

impl From<reqwest::Error> for Failure {
    fn from(error: reqwest::Error) -> Self {
        Self(format!("{error:?}"))
    }
}

impl From<simulation::workload::WorkloadError> for Failure {
    fn from(error: simulation::workload::WorkloadError) -> Self {
        Self(error.to_string())
    }
}
