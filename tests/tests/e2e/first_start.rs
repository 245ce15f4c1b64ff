//! The first start: what it makes, what it prints, and what it leaves alone when it fails.

use e2e::node::Place;
use e2e::process::Process;
use e2e::{Backend, Client, Node, NodeOptions, eventually, on_both_stores};
use serde_json::json;

on_both_stores!(
    a_port_that_is_taken_at_the_first_start_costs_no_secret,
    a_new_secret_needs_an_installation,
    the_first_start_has_nothing_to_warn_of,
    the_store_is_told_and_who_named_it,
    who_listens_on_all_addresses_is_warned_and_found_all_the_same,
    hints_repeat_the_configuration_file,
    the_printed_lines_work_when_pasted,
    the_first_five_minutes_of_the_readme_can_be_pasted,
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

async fn the_first_start_has_nothing_to_warn_of(backend: Backend) {
    let mut node = Node::start(backend).await;
    assert!(node.stop().await.success());
    let log = node.place.log();
    for word in ["WARN", "ERROR", "stayed behind"] {
        assert!(!log.contains(word), "{word} in {log}");
    }
}

/// `DATABASE_URL` may have been set for another program.
async fn the_store_is_told_and_who_named_it(backend: Backend) {
    let place = Place::fresh(NodeOptions::on(backend)).await;
    let (_process, page) = start_for_people(&place, &place.address().to_string()).await;
    let told = page.lines().find(|line| line.starts_with("  store")).expect("a line");
    let variables = place.store.environment();
    match variables.first() {
        Some((variable, _)) => assert!(
            told.ends_with(&format!("(from {variable} in the environment)")),
            "{told}"
        ),
        None => assert!(told.contains("agentidp.db (the default)"), "{told}"),
    }
}

async fn who_listens_on_all_addresses_is_warned_and_found_all_the_same(backend: Backend) {
    let place = Place::fresh(NodeOptions::on(backend)).await;
    let port = place.address().port();
    let (_process, page) = start_for_people(&place, &format!("0.0.0.0:{port}")).await;
    let issuer = format!("http://127.0.0.1:{port}");
    assert!(page.contains(&format!("AGENTIDP_SERVER={issuer}\n")), "{page}");
    assert!(
        place.log().contains("can be reached from the network"),
        "{}",
        place.log()
    );
    let api = e2e::Api::at(&issuer);
    let metadata = api.get("/.well-known/openid-configuration").send().await.expect(200);
    assert_eq!(metadata.json()["issuer"], issuer);
}

/// Starts `dev` as people do, and waits for all of the page that it prints.
async fn start_for_people(place: &Place, listen: &str) -> (Process, String) {
    let data_dir = place.data_dir().display().to_string();
    let arguments = [
        "dev",
        "--listen",
        listen,
        "--operator-listen",
        "127.0.0.1:0",
        "--data-dir",
        &data_dir,
    ];
    let (process, first_line) = Process::start(&mut place.command(&arguments), &place.scratch.path("node.log"));
    let _ = first_line.await;
    let page = eventually("the whole page", async || {
        Some(place.log()).filter(|log| log.contains("Ctrl-C stops the node"))
    })
    .await;
    (process, page)
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

fn has_curl(test: &str) -> bool {
    let version = std::process::Command::new("curl").arg("--version").output();
    let has_curl = version.is_ok_and(|output| output.status.success());
    if !has_curl {
        e2e::skip::note(&format!("first_start::{test}"), "there is no curl");
    }
    has_curl
}

async fn the_first_five_minutes_of_the_readme_can_be_pasted(backend: Backend) {
    if !has_curl("the_first_five_minutes_of_the_readme_can_be_pasted") {
        return;
    }
    const README: &str = include_str!("../../../README.md");
    let (_, section) = README.split_once("## The first five minutes").expect("a section");
    let (_, block) = section.split_once("```sh\n").expect("a block of commands");
    let (script, _) = block.split_once("```").expect("its end");
    let node = Node::start(backend).await;
    let shell = e2e::Shell::of(&node, &node.admin);
    // The block finds the program where the line that started the node has put it.
    let built = shell.path("target/release");
    std::fs::create_dir_all(&built).expect("a directory of our own");
    let program = shell.command(&[]).get_program().to_owned();
    std::os::unix::fs::symlink(program, built.join("agentidp")).expect("a directory of our own");
    let mut pasted = std::process::Command::new("sh");
    let variables = ["ID", "SECRET"].map(|name| format!("AGENTIDP_CLIENT_{name}"));
    pasted
        .args(["-c", script])
        .env("AGENTIDP_SERVER", node.issuer())
        .env(&variables[0], &node.admin.id)
        .env(&variables[1], &node.admin.secret)
        .current_dir(shell.path(""));
    let printed = e2e::shell::printed(&mut pasted, "").expect(0);
    assert_eq!(printed.err, "", "{printed:?}");
    let steps = [
        "active        yes",
        "is suspended now",
        "not active",
        "agent.suspended",
        "the chain is whole",
    ];
    let mut rest = printed.out.as_str();
    for step in steps {
        (_, rest) = rest.split_once(step).unwrap_or_else(|| panic!("{step} in {printed:?}"));
    }
}

async fn the_printed_lines_work_when_pasted(backend: Backend) {
    if !has_curl("the_printed_lines_work_when_pasted") {
        return;
    }
    let place = Place::fresh(NodeOptions::on(backend)).await;
    let (_process, page) = start_for_people(&place, &place.address().to_string()).await;
    let is_step = |line: &&str| {
        ["curl", "TOKEN=", "export "]
            .iter()
            .any(|start| line.starts_with(start))
    };
    let steps: Vec<&str> = page.lines().map(str::trim).filter(is_step).collect();
    assert_eq!(steps.len(), 4, "{page}");
    let script = steps.join("\n");
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
