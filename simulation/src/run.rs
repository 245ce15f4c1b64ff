//! One run: a cluster is founded, clients begin to work, faults come and go; then everything must be well again within a
//! bound, clients stop, and the judges read the history.

use std::ops::Range;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use crate::FINISHED_AFTER;
use crate::faults::{Begun, Kind};
use crate::history::{Call, Entry, History, Recorder, Status};
use crate::invariants::{self, Violation};
use crate::plan::{Plan, Wishes};
use crate::random::Random;
use crate::workload::{Shared, Target, Workload, close};
use crate::world::{ClientWire, Closeup, Moved, Settings, Trace, World, WorldError};

/// How long founding may take.
const FOUNDING_MAX: Duration = Duration::from_secs(60);
/// How long after the last fault everything must be well again: elections, restarts and what stayed behind.
const WELL_AGAIN_WITHIN: Duration = Duration::from_secs(30);
/// How long operators may take to finish what they have begun, once nothing befalls anybody any more.
const FINISHED_WITHIN: Duration = Duration::from_secs(90);
/// How long clients go on when everything is well.
const AFTERWARDS: Duration = Duration::from_secs(3);
/// How long clients may take to finish.
const FINISH_MAX: Duration = Duration::from_secs(60);
/// How long it may take to look at everything at the end.
const CLOSING_MAX: Duration = Duration::from_secs(300);

/// What is to be run.
#[derive(Clone, Debug)]
pub struct Options {
    /// Decides everything that the plan leaves open.
    pub seed: u64,
    /// What was decided before anything happens.
    pub plan: Plan,
    /// Where the trace is written, if it is.
    pub trace: Option<PathBuf>,
    /// Which part is looked at more closely.
    pub closeup: Range<Duration>,
}

impl Options {
    /// A run of which a seed decides everything.
    pub fn of_seed(seed: u64, wishes: &Wishes) -> Self {
        Self::of_plan(seed, Plan::of(&Random::seeded(seed), wishes))
    }

    /// A run of which a seed decides what the plan leaves open.
    pub fn of_plan(seed: u64, plan: Plan) -> Self {
        Self {
            seed,
            plan,
            trace: None,
            closeup: Duration::ZERO..Duration::ZERO,
        }
    }
}

/// What came of it.
#[derive(Debug)]
pub struct Outcome {
    /// The seed.
    pub seed: u64,
    /// What it decided.
    pub plan: Plan,
    /// What was broken, as (invariant, when and how).
    pub broken: Vec<(String, Violation)>,
    /// The faults that were injected: when, what, to whom, and when they ended.
    pub faults: Vec<Injected>,
    /// How long the world lasted.
    pub simulated: Duration,
    /// How nodes' roles and processes changed.
    pub moves: Vec<(Duration, u64, Moved)>,
    /// The trace's SHA-256.
    pub digest: String,
    /// How many lines it has.
    pub lines: u64,
    /// The part that was looked at more closely.
    pub closeup: Closeup,
    /// What clients saw.
    pub history: History,
}

/// A fault that was injected.
#[derive(Clone, Debug)]
pub struct Injected {
    /// Its number in the plan.
    pub number: usize,
    /// What.
    pub kind: Kind,
    /// To whom.
    pub whom: String,
    /// From when.
    pub from: Duration,
    /// Until when.
    pub until: Duration,
}

/// Why a run could not be made.
#[derive(Debug, thiserror::Error)]
pub enum RunError {
    /// The trace can't be written.
    #[error("the trace can't be written: {0}")]
    Trace(std::io::Error),
    /// The world can't be made.
    #[error(transparent)]
    World(#[from] WorldError),
    /// The run ended with a panic.
    #[error("the run panicked: {0}")]
    Panicked(String),
}

/// Runs a seed on a thread of its own, so that nothing that belongs to a thread outlives it.
pub fn run(options: &Options) -> Result<Outcome, RunError> {
    let options = options.clone();
    let thread = std::thread::Builder::new().name(format!("seed {}", options.seed));
    let running = thread
        .spawn(move || run_here(&options))
        .map_err(|error| WorldError::Runtime(error).into());
    let running: Result<_, RunError> = running;
    running?.join().unwrap_or_else(|panic| {
        let text = panic.downcast_ref::<String>().cloned();
        let text = text.or_else(|| panic.downcast_ref::<&str>().map(|text| (*text).to_owned()));
        Err(RunError::Panicked(text.unwrap_or_default()))
    })
}

fn run_here(options: &Options) -> Result<Outcome, RunError> {
    let random = Random::seeded(options.seed);
    cluster::seed_elections(random.branch(14).draw());
    let plan = options.plan.clone();
    let file = options
        .trace
        .as_ref()
        .map(std::fs::File::create)
        .transpose()
        .map_err(RunError::Trace)?;
    let file = file.map(|file| Box::new(std::io::BufWriter::new(file)) as Box<dyn std::io::Write + Send>);
    let trace = Trace::new(file, options.closeup.clone());
    let world = World::new(Settings {
        nodes: plan.nodes,
        usual: plan.usual,
        to_database: plan.to_database,
        configured: plan.configured,
        trace: trace.clone(),
        random: random.branch(11),
    })?;
    let admin = world.found(FOUNDING_MAX)?;
    let recorder = world.recorder.clone();
    let shared = Arc::new(Shared::new(
        Arc::new(ClientWire::new(world.network.clone())),
        admin,
        recorder.clone(),
    ));
    let target = |host: &crate::world::Host| Target {
        node: crate::history::NodeId(host.node_id),
        url: String::new(),
    };
    shared.set_targets(world.hosts().map(target).collect());
    let workload = {
        let _clients = world.enter_clients();
        Workload::start(&shared, &random.branch(12), plan.stretch, &plan.without_clients)
    };
    let (faults, is_well) = Storm::new(&plan, &recorder).blow(&world);
    if is_well {
        world.run_for(AFTERWARDS);
    } else {
        let what = format!("not every node serves with a recent view {WELL_AGAIN_WITHIN:?} after the last fault");
        world.watch.breach(world.now(), "recovers", what);
    }
    finish(&world, &shared, workload, &random);
    let history = recorder.history();
    let _ = trace.flush();
    Ok(Outcome {
        seed: options.seed,
        broken: broken(&world, &history),
        faults,
        simulated: world.now(),
        moves: world.watch.moves(),
        digest: trace.digest(),
        lines: trace.lines(),
        closeup: trace.closeup(),
        history,
        plan,
    })
}

/// Lets clients finish, and looks at everything.
fn finish(world: &World, shared: &Arc<Shared>, workload: Workload, random: &Random) {
    let breach = |what: String| world.watch.breach(world.now(), "recovers", what);
    match world.at_clients(FINISH_MAX, async { workload.stop().await }) {
        Some(Ok(())) => {}
        Some(Err(error)) => breach(error.to_string()),
        None => breach("clients did not finish what they had begun".to_owned()),
    }
    if world.recorder.history().entries.iter().any(is_unanswered_kill) {
        world.run_for(FINISHED_AFTER);
    }
    let (shared, random) = (shared.clone(), random.branch(13));
    match world.at_clients(CLOSING_MAX, async move { close(&shared, &random).await }) {
        Some(Ok(())) => {}
        Some(Err(error)) => breach(error.to_string()),
        None => breach("it took too long to look at everything at the end".to_owned()),
    }
}

/// Whether somebody wanted to kill what agents hold, and does not know whether it was done.
fn is_unanswered_kill(entry: &Entry) -> bool {
    let is_kill = matches!(
        entry.call,
        Call::SetStatus(_, Status::Suspended) | Call::RevokeCredential(..)
    );
    is_kill && entry.answer.may_be_done() && !entry.answer.is_done()
}

fn broken(world: &World, history: &History) -> Vec<(String, Violation)> {
    let seen = world.watch.breaches().into_iter().map(|breach| {
        let violation = Violation {
            at: crate::history::Moment::default().plus(breach.at),
            what: breach.what,
        };
        (breach.invariant.to_owned(), violation)
    });
    let told = invariants::check(history).into_iter().flat_map(|verdict| {
        let guarantee = verdict.guarantee.to_owned();
        verdict
            .violations
            .into_iter()
            .map(move |violation| (guarantee.clone(), violation))
    });
    let mut broken: Vec<_> = seen.chain(told).collect();
    broken.sort_by_key(|(_, violation)| violation.at);
    broken
}

/// Whether every node votes, serves with a recent view, and has applied what is committed.
fn is_well(world: &World) -> bool {
    let status = |host: &crate::world::Host| world.cluster(host.node_id).map(|cluster| cluster.status());
    let all: Vec<_> = world.hosts().map(status).collect();
    let committed = all.iter().flatten().filter_map(|status| status.committed).max();
    let is_well = |status: &Option<cluster::ClusterStatus>| {
        status
            .as_ref()
            .is_some_and(|status| status.fresh && status.last_applied == committed)
    };
    let nodes = || world.hosts().map(|host| host.node_id);
    let serves_and_votes = |node| world.is_serving(node) && nodes().all(|as_seen_by| world.is_voter(node, as_seen_by));
    all.iter().all(is_well) && nodes().all(serves_and_votes)
}

/// The faults of a plan, while they come and go.
struct Storm<'a> {
    plan: &'a Plan,
    recorder: &'a Recorder,
    begun_at: Duration,
    /// Those that last, with their places in the list of the injected and in the history.
    lasting: Vec<(Begun, usize, usize)>,
    /// Places in the history of those that are over, as long as they may have consequences.
    echoing: Vec<usize>,
    injected: Vec<Injected>,
}

impl<'a> Storm<'a> {
    fn new(plan: &'a Plan, recorder: &'a Recorder) -> Self {
        Self {
            plan,
            recorder,
            begun_at: Duration::ZERO,
            lasting: Vec::new(),
            echoing: Vec::new(),
            injected: Vec::new(),
        }
    }

    /// Lets them come and go. Answers what was injected, and whether everything was well again in time afterwards.
    fn blow(mut self, world: &World) -> (Vec<Injected>, bool) {
        self.begun_at = world.now();
        let mut coming = self.plan.faults.iter().peekable();
        while world.now() < self.begun_at + self.plan.faults_until {
            let late = world.now() - self.begun_at;
            while let Some(planned) = coming.next_if(|planned| planned.at <= late) {
                self.begin(world, planned);
            }
            self.end_those_that_are_over(world);
            for (begun, ..) in &mut self.lasting {
                begun.fault.go_on(world);
            }
            world.tick();
        }
        self.finish(world);
        let is_well = world.run_until(WELL_AGAIN_WITHIN, is_well);
        self.recorder.all_is_well(&self.echoing);
        (self.injected, is_well)
    }

    /// Ends all that last, when what operators have begun is finished.
    fn finish(&mut self, world: &World) {
        for (_, injected, _) in &self.lasting {
            self.injected[*injected].until = world.now();
        }
        let end = world.now() + FINISHED_WITHIN;
        self.end_those_that_are_over(world);
        while !self.lasting.is_empty() && world.now() < end {
            for (begun, ..) in &mut self.lasting {
                begun.fault.go_on(world);
            }
            world.tick();
            self.end_those_that_are_over(world);
        }
        for (mut begun, injected, place) in std::mem::take(&mut self.lasting) {
            let what = format!("{} could not be finished", self.injected[injected].kind.name());
            world.watch.breach(world.now(), "operations_finish", what);
            begun.fault.end(world);
            self.over(world, injected, place);
        }
    }

    fn begin(&mut self, world: &World, planned: &crate::faults::Planned) {
        // One of a kind at a time: the end of one would be the end of the other.
        if self
            .lasting
            .iter()
            .any(|(_, place, _)| self.injected[*place].kind == planned.kind)
        {
            return;
        }
        let name = planned.kind.name();
        let Some(begun) = planned.kind.begin(world, &mut Random::seeded(planned.seed)) else {
            return;
        };
        world.note(format_args!("fault {} begins: {name}: {}", planned.number, begun.whom));
        let place = self.recorder.disturb(name, &begun.effects);
        self.injected.push(Injected {
            number: planned.number,
            kind: planned.kind,
            whom: begun.whom.clone(),
            from: world.now(),
            until: world.now() + planned.lasts,
        });
        self.lasting.push((begun, self.injected.len() - 1, place));
    }

    fn end_those_that_are_over(&mut self, world: &World) {
        let now = world.now();
        let injected = &self.injected;
        let (over, lasting) = std::mem::take(&mut self.lasting)
            .into_iter()
            .partition::<Vec<_>, _>(|(begun, place, _)| injected[*place].until <= now && begun.fault.may_end());
        self.lasting = lasting;
        for (mut begun, injected, place) in over {
            begun.fault.end(world);
            self.over(world, injected, place);
        }
        if self.lasting.is_empty() && !self.echoing.is_empty() && is_well(world) {
            self.recorder.all_is_well(&self.echoing);
            self.echoing.clear();
        }
    }

    fn over(&mut self, world: &World, injected: usize, place: usize) {
        let fault = &mut self.injected[injected];
        fault.until = world.now();
        world.note(format_args!("fault {} is over: {}", fault.number, fault.kind.name()));
        self.recorder.relieve(place);
        self.echoing.push(place);
    }
}
