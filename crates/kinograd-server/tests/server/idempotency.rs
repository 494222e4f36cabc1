//! The same request, sent again.

use std::sync::atomic::Ordering;

use serde_json::json;

use crate::support::{post, request, walker};

const KEY: &str = "Idempotency-Key: one";

#[test]
fn the_same_key_is_the_same_answer() {
    let (server, counts) = walker(|_| {});
    let address = server.address();
    let body = request(address, "a person walks");
    let first = post(address, &[KEY], &body);
    let again = post(address, &[KEY], &body);
    assert_eq!((first.status, &first.body), (again.status, &again.body));
    assert_eq!(counts.begun.load(Ordering::SeqCst), 1);
    let mut other = body.clone();
    other["options"] = json!({"seed": 5});
    let conflict = post(address, &[KEY], &other);
    assert_eq!(
        (conflict.status, conflict.code().as_str()),
        (409, "invalid_request")
    );
    assert_eq!(post(address, &["Idempotency-Key: two"], &other).status, 200);
}

#[test]
fn requests_at_once_are_made_once() {
    let (server, counts) = walker(|_| {});
    let address = server.address();
    let body = request(address, "a person walks");
    let clients: Vec<_> = (0..8)
        .map(|_| {
            let body = body.clone();
            std::thread::spawn(move || post(address, &[KEY], &body))
        })
        .collect();
    let answers: Vec<_> = clients
        .into_iter()
        .map(|client| client.join().unwrap())
        .collect();
    assert!(
        answers
            .iter()
            .all(|answer| answer.status == 200 && answer.body == answers[0].body)
    );
    assert_eq!(counts.begun.load(Ordering::SeqCst), 1);
}

#[test]
fn a_failure_is_not_kept() {
    let (server, counts) = walker(|_| {});
    let address = server.address();
    let body = request(address, "fail");
    for times in 1..=2 {
        assert_eq!(post(address, &[KEY], &body).status, 500);
        assert_eq!(counts.begun.load(Ordering::SeqCst), times);
    }
}
