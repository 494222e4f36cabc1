//! Scenes as requests.

use kinograd_guidance::scene::Scene;
use kinograd_guidance::{DecodedMotion, Frame};
use kinograd_motion::joints_array;

use crate::generator::Beside;
use crate::request::MODEL_FPS;
use crate::{
    Clip, Error, GenerateRequest, GenerateRequestBuilder, Method, MotionGenerator, Observer,
};

/// Starts a request for a scene's clip: its prompts in time, its length, and its goals on
/// the ground. What else the scene asks for, [`MotionGenerator::generate_scene`] sees to.
///
/// # Errors
/// [`Error::Guidance`] if a time lies beyond the scene.
pub fn request_from_scene(scene: &Scene) -> Result<GenerateRequestBuilder, Error> {
    let first = scene
        .prompts
        .first()
        .map_or("", |prompt| prompt.text.trim());
    let mut request = GenerateRequest::builder(first).seconds(scene.duration_secs);
    let mut end = 0.0;
    for (index, prompt) in scene.prompts.iter().enumerate() {
        let from = prompt.from_secs.unwrap_or(end);
        if index > 0 {
            // Where no prompt is stated, the neighbours meet half-way.
            request = request.then(prompt.text.trim(), f64::midpoint(end, from));
        }
        end = prompt.to_secs.unwrap_or(scene.duration_secs);
    }
    let goals = scene.ground_goals(MODEL_FPS)?;
    for waypoint in goals.waypoints {
        let [x, z] = waypoint.position_m;
        request = match waypoint.frame {
            Frame::At(frame) => request.waypoint(x, z, frame as f64 / MODEL_FPS),
            Frame::Last => request.target(x, z),
        };
    }
    for circle in goals.obstacles {
        let [x, z] = circle.center_m;
        request = request.obstacle(x, z, circle.radius_m);
    }
    Ok(request)
}

impl MotionGenerator {
    /// As [`generate`](Self::generate), and meets what a scene asks for beside its goals on the
    /// ground, which are the request's if [`request_from_scene`] made it. The clips' records hold the
    /// scene, and their reports how far they are from each of its goals.
    ///
    /// # Errors
    /// As [`generate`](Self::generate); [`Error::Guidance`] if the scene is at fault.
    pub fn generate_scene(
        &mut self,
        request: &GenerateRequest,
        scene: &Scene,
        observer: &mut dyn Observer,
    ) -> Result<Vec<Clip>, Error> {
        let mut beside = if scene.is_ground_only() || request.method == Method::None {
            Beside::Nothing
        } else {
            Beside::Scene(scene)
        };
        let mut clips = self.run(request, &mut beside, observer)?;
        let stated = serde_json::to_value(scene).map_err(internal)?;
        for clip in &mut clips {
            let extra = &mut clip.provenance.extra;
            extra.insert("scene".to_owned(), stated.clone());
            let motion = DecodedMotion::from_joints(
                joints_array(&clip.motion).mapv(f64::from),
                clip.motion.fps,
            )?;
            if let Some(report) = &mut clip.report {
                report.goals = scene.distances(&motion)?;
                let distances = serde_json::to_value(&report.goals).map_err(internal)?;
                clip.provenance.losses.insert("goals".to_owned(), distances);
            }
        }
        Ok(clips)
    }
}

fn internal(error: serde_json::Error) -> Error {
    Error::Internal(error.to_string())
}
