//! Clients that are slow, go, or are too many.

use std::io::Write;
use std::sync::atomic::Ordering;
use std::thread::sleep;
use std::time::{Duration, Instant};

use crate::support::{Counts, answer, connect, get, message, post, request, walker};

/// Waits for a condition, and says so where it does not come.
fn until(what: &str, holds: impl Fn() -> bool) {
    let started = Instant::now();
    while !holds() {
        assert!(started.elapsed() < Duration::from_secs(30), "{what}");
        sleep(Duration::from_millis(5));
    }
}

fn begun(counts: &Counts) -> usize {
    counts.begun.load(Ordering::SeqCst)
}

#[test]
fn the_work_of_a_client_that_goes_is_stopped() {
    let (server, counts) = walker(|_| {});
    let address = server.address();
    let body = request(address, "slow").to_string();
    let json = ["Content-Type: application/json"];
    let mut stream = connect(address);
    let sent = message(address, "POST /generate", &json, body.as_bytes());
    stream.write_all(&sent).unwrap();
    until("it begins", || begun(&counts) == 1);
    drop(stream);
    until("it stops", || counts.stopped.load(Ordering::SeqCst) == 1);
    assert_eq!(
        post(address, &[], &request(address, "a person walks")).status,
        200
    );
}

#[test]
fn a_full_queue_tells_clients_to_come_back() {
    let (server, counts) = walker(|config| config.limits.queue = 2);
    let address = server.address();
    let slow = request(address, "slow").to_string();
    let json = ["Content-Type: application/json"];
    let mut waiting = Vec::new();
    for _ in 0..3 {
        let mut stream = connect(address);
        stream
            .write_all(&message(address, "POST /generate", &json, slow.as_bytes()))
            .unwrap();
        waiting.push(stream);
        until("the first begins", || begun(&counts) == 1);
    }
    until("two wait", || {
        let metrics = String::from_utf8(get(address, "/metrics").body).unwrap();
        metrics.contains("kinograd_queue_waiting 2")
    });
    let refused = post(address, &[], &request(address, "a person walks"));
    assert_eq!(
        (refused.status, refused.code().as_str()),
        (503, "resource_exhausted")
    );
    assert!(
        refused
            .header("retry-after")
            .unwrap()
            .parse::<u64>()
            .unwrap()
            > 0
    );
    // What nobody waits for any more is not begun.
    drop(waiting);
    until("there is a place", || {
        post(address, &[], &request(address, "a person walks")).status == 200
    });
    assert_eq!(begun(&counts), 2);
}

#[test]
fn slow_clients_lose_their_connection() {
    let (server, _) = walker(|config| config.limits.read_timeout = Duration::from_millis(300));
    let address = server.address();
    let mut dawdler = connect(address);
    dawdler
        .write_all(b"POST /generate HTTP/1.1\r\nHost: loc")
        .unwrap();
    let mut slow_body = connect(address);
    let head = format!(
        "POST /generate HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\nContent-Type: application/json\r\nContent-Length: 50\r\n\r\n{{"
    );
    slow_body.write_all(head.as_bytes()).unwrap();
    let late = answer(&mut slow_body);
    assert_eq!((late.status, late.code().as_str()), (408, "timeout"));
    let mut rest = Vec::new();
    std::io::Read::read_to_end(&mut dawdler, &mut rest).unwrap();
    assert!(
        rest.is_empty() || rest.starts_with(b"HTTP/1.1 408"),
        "{rest:?}"
    );
}

#[test]
fn a_request_does_not_wait_for_ever() {
    let (server, counts) =
        walker(|config| config.limits.request_timeout = Duration::from_millis(200));
    let address = server.address();
    let late = post(address, &[], &request(address, "slow"));
    assert_eq!((late.status, late.code().as_str()), (504, "timeout"));
    until("it stops", || counts.stopped.load(Ordering::SeqCst) == 1);
}

#[test]
fn a_server_that_stops_tells_those_who_wait() {
    let (server, counts) = walker(|_| {});
    let address = server.address();
    let body = request(address, "slow");
    let waiting = std::thread::spawn(move || post(address, &[], &body));
    until("it begins", || begun(&counts) == 1);
    drop(server);
    let told = waiting.join().unwrap();
    assert_eq!(
        (told.status, told.code().as_str()),
        (503, "model_unavailable")
    );
    assert!(std::net::TcpStream::connect(address).is_err());
}
