//! Jobs and how far they are.

use std::sync::atomic::Ordering;
use std::thread::sleep;
use std::time::Duration;

use crate::support::{get, message, post, raw, request, walker};

const ASYNC: [&str; 1] = ["Prefer: respond-async"];

#[test]
fn a_job_is_fetched_when_it_is_done() {
    let (server, _) = walker(|_| {});
    let address = server.address();
    let body = request(address, "a person walks");
    let accepted = post(address, &ASYNC, &body);
    assert_eq!(accepted.status, 202);
    let location = accepted.header("location").unwrap();
    assert!(location.starts_with("/generate/jobs/"), "{location}");
    let done = loop {
        let job = get(address, location);
        if job.status != 202 {
            break job;
        }
        assert!(job.header("retry-after").is_some());
        sleep(Duration::from_millis(10));
    };
    assert_eq!(done.status, 200);
    assert_eq!(done.body, post(address, &[], &body).body);
}

#[test]
fn a_job_says_how_far_it_is_and_is_given_up() {
    let (server, counts) = walker(|config| config.limits.jobs = 1);
    let address = server.address();
    let accepted = post(address, &ASYNC, &request(address, "slow"));
    let location = accepted.header("location").unwrap().to_owned();
    let progress = loop {
        let status = get(address, &location).json();
        if status["status"] == "running" && status["progress"].as_f64().unwrap() > 0.0 {
            break status["progress"].as_f64().unwrap();
        }
        sleep(Duration::from_millis(10));
    };
    assert!(progress < 1.0, "{progress}");
    let more = post(address, &ASYNC, &request(address, "a person walks"));
    assert_eq!(
        (more.status, more.code().as_str()),
        (503, "resource_exhausted")
    );
    let cancel = message(address, &format!("DELETE {location}"), &[], b"");
    assert_eq!(raw(address, &cancel).status, 204);
    assert_eq!(get(address, &location).status, 404);
    while counts.stopped.load(Ordering::SeqCst) == 0 {
        sleep(Duration::from_millis(5));
    }
}

#[test]
fn a_job_that_fails_says_so_where_it_is_fetched() {
    let (server, _) = walker(|_| {});
    let address = server.address();
    let accepted = post(address, &ASYNC, &request(address, "fail"));
    let location = accepted.header("location").unwrap();
    let failed = loop {
        let job = get(address, location);
        if job.status != 202 {
            break job;
        }
        sleep(Duration::from_millis(10));
    };
    assert_eq!(
        (failed.status, failed.code().as_str()),
        (500, "internal_error")
    );
}
