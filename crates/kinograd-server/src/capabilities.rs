//! `GET /capabilities`: what the server does, and no more.

use kinograd::task::MAX_PROMPT_CHARS;
use serde_json::{Value, json};

use crate::answer::CONTACT_JOINTS;
use crate::gltf::VERSION;
use crate::limits::Limits;
use crate::model::ModelInfo;
use crate::plan::canonical_skeleton;
use crate::request::{constraints, segments};

/// The document.
pub(crate) fn capabilities(model: &ModelInfo, limits: &Limits) -> Value {
    let seconds = model.max_frames as f64 / model.fps;
    json!({
        "protocol_version": VERSION,
        "rotation_format": "quaternion_xyzw",
        "coordinate_system": "right_handed_y_up",
        "units": "meters",
        "response_formats": ["gltf_2.0_json", "gltf_2.0_binary"],
        "models": [{
            "id": model.id,
            "fps": model.fps,
            "canonical_skeleton": skeleton(),
            "supports_retargeting": true,
            "supports_async": true,
            "supports_segment_seed": false,
            "supports_loop": true,
            "supports_batch": true,
            "supports_trajectory": true,
            "supported_constraints": constraints::SUPPORTED,
            "supported_segments": segments::SUPPORTED,
            "supported_guidance_types": ["nocfg", "regular"],
            "predicted_contact_joints": CONTACT_JOINTS,
            "native_clip_seconds": seconds,
            "chunking": "none",
            "recommended_max_duration_seconds": seconds,
            "limits": {
                "max_duration_seconds": seconds,
                "max_num_samples": limits.samples,
                "max_constraints_per_request": limits.constraints,
                "max_prompt_length": MAX_PROMPT_CHARS,
                "max_request_bytes": limits.body_bytes,
                "max_batch_size": limits.batch,
            },
        }],
    })
}

/// The canonical skeleton as the protocol has it.
fn skeleton() -> Value {
    let skeleton = canonical_skeleton();
    let joints: Vec<Value> = (0..skeleton.len())
        .map(|joint| {
            json!({
                "name": skeleton.names[joint],
                "parent": skeleton.parents[joint].map(|parent| &skeleton.names[parent]),
                "rest_translation": skeleton.offsets_m[joint].to_array(),
                "rest_rotation": [0.0, 0.0, 0.0, 1.0],
            })
        })
        .collect();
    json!({"joints": joints, "coordinate_system": "right_handed_y_up", "units": "meters"})
}
