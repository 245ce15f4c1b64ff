//! The first start: what it makes, what it prints, and what it leaves alone when it fails.

use e2e::node::Place;
use e2e::process::Process;
use e2e::{Backend, Client, NodeOptions, eventually, on_both_stores};
use serde_json::json;

on_both_stores!(
    a_port_that_is_taken_at_the_first_start_costs_no_secret,
    a_new_secret_needs_an_installation,
    hints_repeat_the_configuration_file,
    the_printed_lines_work_when_pasted,
    init_and_serve_are_dev_in_two_steps,
    serve_without_init_says_what_to_do,
);

/// A first start that fails for the port must not use up the secret that is shown once.
async fn a_port_that_is_taken_at_the_first_start_costs_no_secret(backend: Backend) {
    let place = Place::fresh(NodeOptions::on(backend)).await;
    let taken = std::net::TcpListener::bind(place.address()).expect("the port is free");
    let failed = place.launch().await.expect_err("the port is taken");
    assert!(failed.output.contains(&place.address().to_string()), "{failed:?}");
    assert!(!place.data_dir().exists(), "nothing was made");
    let operators = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    let operators_address = operators.local_addr().expect("an address").to_string();
    let (listen, data_dir) = (place.address().to_string(), place.data_dir().display().to_string());
    let ports = ["--listen", &listen, "--operator-listen", &operators_address];
    let mut command = place.command(&[&["dev", "--data-dir", &data_dir], &ports[..]].concat());
    let failed = place.launch_with(&mut command).await.expect_err("both are taken");
    for told in ports {
        assert!(failed.output.contains(told), "{told} in {failed:?}");
    }
    drop((taken, operators));
    let (_process, announcement) = place.launch().await.expect("a start");
    assert!(announcement.text("clientSecret").starts_with("sk_live_"));
}

async fn a_new_secret_needs_an_installation(backend: Backend) {
    let place = Place::fresh(NodeOptions::on(backend)).await;
    let mut command = place.dev_command();
    let failed = place
        .launch_with(command.arg("--new-admin-secret"))
        .await
        .expect_err("nothing is there");
    assert!(failed.output.contains("no installation"), "{failed:?}");
    let config = write_config(&place);
    let init = place
        .command(&["init", "--new-admin-secret", "--config", &config])
        .output()
        .expect("it runs");
    let told = String::from_utf8_lossy(&init.stderr);
    assert!(!init.status.success() && told.contains("no installation"), "{told}");
    let left: Vec<_> = std::fs::read_dir(place.data_dir())
        .expect("it was made to see whether it can be")
        .map(|entry| entry.expect("readable").file_name())
        .collect();
    assert_eq!(left, [".gitignore"], "no installation, and no part of one");
    let (_process, announcement) = place.launch().await.expect("a start");
    assert!(announcement.text("clientSecret").starts_with("sk_live_"));
}

async fn hints_repeat_the_configuration_file(backend: Backend) {
    let place = Place::fresh(NodeOptions::on(backend)).await;
    let config = write_config(&place);
    let init = || {
        let output = place.command(&["init", "--config", &config]).output().expect("it runs");
        String::from_utf8_lossy(&output.stdout).into_owned()
    };
    let (first, again) = (init(), init());
    assert!(
        first.contains(&format!("Next: agentidp serve --config {config}\n")),
        "{first}"
    );
    let hint = format!("agentidp init --config {config} --new-admin-secret\n");
    assert!(again.contains(&hint), "{again}");
}

async fn the_printed_lines_work_when_pasted(backend: Backend) {
    let has_curl = std::process::Command::new("curl")
        .arg("--version")
        .output()
        .is_ok_and(|output| output.status.success());
    if !has_curl {
        e2e::skip::note("first_start::the_printed_lines_work_when_pasted", "there is no curl");
        return;
    }
    let place = Place::fresh(NodeOptions::on(backend)).await;
    let (listen, data_dir) = (place.address().to_string(), place.data_dir().display().to_string());
    let mut command = place.command(&[
        "dev",
        "--listen",
        &listen,
        "--operator-listen",
        "127.0.0.1:0",
        "--data-dir",
        &data_dir,
    ]);
    let (_process, first_line) = Process::start(&mut command, &place.scratch.path("node.log"));
    let _ = first_line.await;
    let is_step = |line: &&str| {
        ["curl", "TOKEN=", "export "]
            .iter()
            .any(|start| line.starts_with(start))
    };
    let script = eventually("four lines to paste", async || {
        let log = place.log();
        let steps: Vec<&str> = log.lines().map(str::trim).filter(is_step).collect();
        (steps.len() >= 4).then(|| steps.join("\n"))
    })
    .await;
    // The last line is for the commands of the program.
    let program = e2e::options::bare_command(&[]).get_program().to_owned();
    let script = format!("{script}\n\"$PROGRAM\" agents list --json\n");
    let output = std::process::Command::new("sh")
        .args(["-e", "-c", &script])
        .env("PROGRAM", program)
        .output()
        .expect("sh runs");
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(output.status.success(), "{script}\n{text}");
    let answers: Vec<serde_json::Value> = text
        .lines()
        .map(|line| serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {script}\n{text}")))
        .collect();
    assert_eq!(answers.len(), 3, "each answer has its line: {text}");
    assert_eq!(answers[0]["active"], true, "{text}");
    assert_eq!(
        (&answers[1]["total"], &answers[2]["total"]),
        (&json!(1), &json!(1)),
        "{text}"
    );
}

async fn init_and_serve_are_dev_in_two_steps(backend: Backend) {
    let place = Place::fresh(NodeOptions::on(backend)).await;
    let config = write_config(&place);
    let config = config.as_str();
    let init = || {
        place
            .command(&["init", "--config", config, "--json"])
            .output()
            .expect("it runs")
    };
    let first = init();
    assert!(first.status.success(), "{}", String::from_utf8_lossy(&first.stderr));
    let first: serde_json::Value = serde_json::from_slice(&first.stdout).expect("one JSON object");
    let again: serde_json::Value = serde_json::from_slice(&init().stdout).expect("one JSON object");
    assert_eq!(
        (&again["clientId"], &again["clientSecret"]),
        (&first["clientId"], &json!(null))
    );
    let migrated = place
        .command(&["migrate", "--config", config])
        .status()
        .expect("it runs");
    assert!(migrated.success());
    let text = |member: &str| first[member].as_str().expect("a text").to_owned();
    let client = Client {
        id: text("clientId"),
        secret: text("clientSecret"),
        credential: String::new(),
    };
    let (mut process, _) = Process::start(
        &mut place.command(&["serve", "--config", config]),
        &place.scratch.path("serve.log"),
    );
    let api = e2e::Api::at(&format!("http://{}", place.address()));
    eventually("the node to be ready", async || {
        api.get("/health/ready")
            .try_send()
            .await
            .ok()
            .filter(|answer| answer.status == 200)
    })
    .await;
    let _ = api
        .post("/oauth2/token")
        .basic(&client)
        .form(&[("grant_type", "client_credentials")])
        .send()
        .await
        .expect(200);
    process.signal("TERM");
    assert!(process.exit().await.success());
}

async fn serve_without_init_says_what_to_do(backend: Backend) {
    let place = Place::fresh(NodeOptions::on(backend)).await;
    let config = write_config(&place);
    let failed = place
        .launch_with(&mut place.command(&["serve", "--config", &config]))
        .await
        .expect_err("there is nothing to serve");
    assert!(!failed.status.success());
    assert!(failed.output.contains("agentidp init"), "{failed:?}");
}

/// A configuration for this place, given as a file, and that file's path.
fn write_config(place: &Place) -> String {
    let path = place.scratch.path("agentidp.toml");
    let (listen, data_dir) = (place.address(), place.data_dir());
    let text = format!(
        "[server]\nlisten = \"{listen}\"\noperator_listen = \"127.0.0.1:0\"\n\n[cluster]\ndata_dir = \"{}\"\n",
        data_dir.display()
    );
    std::fs::write(&path, text).expect("the scratch directory can be written");
    path.display().to_string()
}
