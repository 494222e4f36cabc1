//! The whole path with the real model on the built-in engine.

use kinograd::MotionGenerator;
use kinograd::runtime::{EngineChoice, EngineOptions};
use kinograd_server::{Config, GeneratorSource, Server};
use serde_json::json;

use crate::support::{positions, post, request};

#[test]
fn a_target_is_reached_in_the_clients_world() {
    let models = concat!(env!("CARGO_MANIFEST_DIR"), "/../../models/motion-base");
    let config = Config::new("127.0.0.1:0".parse().unwrap(), None).unwrap();
    let server = Server::start(config, move || {
        let options = EngineOptions {
            engine: EngineChoice::BuiltIn,
            ..EngineOptions::default()
        };
        GeneratorSource::new(MotionGenerator::open(models, &options)?)
    })
    .unwrap();
    let address = server.address();
    let mut body = request(address, "a person walks forward");
    body["segments"][0]["duration_frames"] = 32.into();
    body["options"] = json!({"seed": 3, "diffusion_steps": 3});
    body["constraints"] = json!([{
        "type": "root_path", "frames": [0, 31], "positions_xz": [[4.0, 2.0], [5.2, 2.0]],
    }]);
    let answer = post(address, &[], &body);
    assert_eq!(
        answer.status,
        200,
        "{}",
        String::from_utf8_lossy(&answer.body)
    );
    let (_, frames) = positions(&answer.json(), 0);
    assert_eq!(frames.len(), 32);
    let ([x0, _, z0], [x1, _, z1]) = (frames[0][0], frames[31][0]);
    assert!((x0 - 4.0).hypot(z0 - 2.0) < 0.1, "{x0} {z0}");
    assert!((x1 - 5.2).hypot(z1 - 2.0) < 0.1, "{x1} {z1}");
}
