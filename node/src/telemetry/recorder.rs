//! The node's own metrics recorder. Its handles are values, so several nodes can live in one process.

use std::sync::Arc;
use std::time::Duration;

use metrics::{Counter, Gauge, Histogram, Key, KeyName, Label, Level, Metadata, Recorder, SharedString, Unit};
use metrics_exporter_prometheus::{BuildError, Matcher, PrometheusBuilder, PrometheusHandle, PrometheusRecorder};

/// How often samples are moved into buckets; between two, they take memory.
const UPKEEP_INTERVAL: Duration = Duration::from_secs(5);
/// Upper bounds of duration buckets, in seconds: from a look-up in memory to a time-out.
const SECONDS: &[f64] = &[
    0.000_1, 0.000_25, 0.000_5, 0.001, 0.002_5, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0,
];
/// Upper bounds of size buckets.
const SIZES: &[f64] = &[1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 64.0, 128.0, 256.0, 512.0];

/// Makes handles and renders what they counted.
pub struct MetricsRecorder {
    recorder: PrometheusRecorder,
    handle: PrometheusHandle,
}

/// Something that a node counts with: shared by all who need handles.
pub type Meters = Arc<MetricsRecorder>;

static METADATA: Metadata<'static> = Metadata::new("agentidp", Level::INFO, None);

impl MetricsRecorder {
    /// An empty recorder.
    pub fn new() -> Result<Self, BuildError> {
        let builder = PrometheusBuilder::new()
            .set_buckets_for_metric(Matcher::Suffix("_seconds".to_owned()), SECONDS)?
            .set_buckets_for_metric(Matcher::Suffix("_size".to_owned()), SIZES)?;
        let recorder = builder.build_recorder();
        let handle = recorder.handle();
        Ok(Self { recorder, handle })
    }

    /// A counter.
    pub fn counter(&self, name: &'static str, labels: &[(&'static str, &str)]) -> Counter {
        self.register_counter(&key(name, labels), &METADATA)
    }

    /// A gauge.
    pub fn gauge(&self, name: &'static str, labels: &[(&'static str, &str)]) -> Gauge {
        self.register_gauge(&key(name, labels), &METADATA)
    }

    /// A histogram.
    pub fn histogram(&self, name: &'static str, labels: &[(&'static str, &str)]) -> Histogram {
        self.register_histogram(&key(name, labels), &METADATA)
    }

    /// Everything, in Prometheus' text format.
    pub fn render(&self) -> String {
        self.handle.render()
    }

    /// Keeps the memory of histograms bounded; runs until it is dropped.
    pub async fn run_upkeep(self: Arc<Self>) {
        let mut ticks = tokio::time::interval(UPKEEP_INTERVAL);
        loop {
            ticks.tick().await;
            self.handle.run_upkeep();
        }
    }
}

/// Every metric of the product carries its name; whoever registers one need not.
impl Recorder for MetricsRecorder {
    fn describe_counter(&self, name: KeyName, unit: Option<Unit>, description: SharedString) {
        self.recorder
            .describe_counter(prefixed(name.as_str()), unit, description);
    }

    fn describe_gauge(&self, name: KeyName, unit: Option<Unit>, description: SharedString) {
        self.recorder.describe_gauge(prefixed(name.as_str()), unit, description);
    }

    fn describe_histogram(&self, name: KeyName, unit: Option<Unit>, description: SharedString) {
        self.recorder
            .describe_histogram(prefixed(name.as_str()), unit, description);
    }

    fn register_counter(&self, key: &Key, metadata: &Metadata<'_>) -> Counter {
        self.recorder.register_counter(&with_prefix(key), metadata)
    }

    fn register_gauge(&self, key: &Key, metadata: &Metadata<'_>) -> Gauge {
        self.recorder.register_gauge(&with_prefix(key), metadata)
    }

    fn register_histogram(&self, key: &Key, metadata: &Metadata<'_>) -> Histogram {
        self.recorder.register_histogram(&with_prefix(key), metadata)
    }
}

fn key(name: &'static str, labels: &[(&'static str, &str)]) -> Key {
    let labels: Vec<Label> = labels
        .iter()
        .map(|(name, value)| Label::new(*name, (*value).to_owned()))
        .collect();
    Key::from_parts(name, labels)
}

fn with_prefix(key: &Key) -> Key {
    Key::from_parts(prefixed(key.name()), key.labels().cloned().collect::<Vec<_>>())
}

fn prefixed(name: &str) -> KeyName {
    format!("agentidp_{name}").into()
}
