//! Motion for games: clips as assets, and clips that are made on request.
//!
//! ```no_run
//! use bevy::prelude::*;
//! use kinograd_bevy::{KinogradPlugin, MotionPlayer, MotionReady, MotionRequest};
//!
//! App::new()
//!     .add_plugins((MinimalPlugins, AssetPlugin::default(), KinogradPlugin::default()))
//!     .add_systems(Startup, |mut commands: Commands| {
//!         commands.spawn(MotionRequest::walk_to("a person walks forward", [2.0, 3.0], 5.0));
//!     })
//!     .add_observer(|ready: On<MotionReady>, mut commands: Commands| {
//!         commands.entity(ready.entity).insert(MotionPlayer::new(ready.clip.clone()));
//!     })
//!     .run();
//! ```

use bevy::platform::collections::HashMap;
use bevy::prelude::*;
use kinograd::runtime::EngineOptions;
use kinograd::{Obstacle, TaskSpec};

use crate::clip::{MotionClip, MotionClipLoader};
use crate::edit;
use crate::generation::{
    Generation, GenerationUpdate, Job, JobId, MakeSettings, Ticket, Update, receive_updates,
};
use crate::player::PlayerPlugin;

/// Plays [`MotionClip`]s and answers [`MotionRequest`]s. Runs without a window and without rendering;
/// add [`crate::CharacterPlugin`] to see mannequins.
#[derive(Debug, Clone)]
pub struct KinogradPlugin {
    /// The model package, by name or folder.
    pub model: String,
    /// The engine that runs it.
    pub engine: EngineOptions,
}

impl Default for KinogradPlugin {
    fn default() -> Self {
        Self {
            model: "motion-base".to_owned(),
            engine: EngineOptions::default(),
        }
    }
}

impl Plugin for KinogradPlugin {
    fn build(&self, app: &mut App) {
        app.add_plugins((ClipPlugin, PlayerPlugin))
            .insert_resource(Generation::start(&self.model, self.engine.clone()))
            .init_resource::<Pending>()
            .add_message::<GenerationUpdate>()
            .add_systems(PreUpdate, receive_updates)
            .add_systems(Update, (hand_in, answer).chain());
    }
}

/// [`MotionClip`] as an asset, from `.bvh` and `.npz` files, and from `.glb` where it is asked for by type.
#[derive(Debug, Default)]
pub struct ClipPlugin;

impl Plugin for ClipPlugin {
    fn build(&self, app: &mut App) {
        if !app.is_plugin_added::<AssetPlugin>() {
            app.add_plugins(AssetPlugin::default());
        }
        app.init_asset::<MotionClip>()
            .init_asset_loader::<MotionClipLoader>();
    }
}

/// Asks for a clip. Insert it on an entity; [`MotionReady`] or [`MotionFailed`] answers, once. Inserted
/// anew, it takes the place of the request before; despawned or removed, it is cancelled.
///
/// Places are in the clip's own world: it starts at the origin facing +Z.
#[derive(Component, Debug, Clone, PartialEq)]
pub struct MotionRequest {
    /// Prompts, goals and obstacles.
    pub scene: TaskSpec,
    /// How the clip is made.
    pub settings: MakeSettings,
}

impl MotionRequest {
    /// A clip of a prompt, seconds long.
    #[must_use]
    pub fn new(prompt: &str, seconds: f64) -> Self {
        Self {
            scene: TaskSpec::new(prompt, seconds),
            settings: MakeSettings::default(),
        }
    }

    /// As [`MotionRequest::new`], ending at a place on the ground, `(x, z)`, metres.
    #[must_use]
    pub fn walk_to(prompt: &str, target_m: [f32; 2], seconds: f64) -> Self {
        let mut request = Self::new(prompt, seconds);
        edit::set_target(&mut request.scene, Vec2::from_array(target_m));
        request
    }

    /// With a circle to keep out of: centre `(x, z)` and radius, metres.
    #[must_use]
    pub fn round(mut self, center_m: [f32; 2], radius_m: f32) -> Self {
        let circle = Obstacle::circle(center_m.map(f64::from), f64::from(radius_m));
        self.scene.obstacles.push(circle);
        self
    }

    /// With another seed.
    #[must_use]
    pub fn seed(mut self, seed: u64) -> Self {
        self.settings.seed = seed;
        self
    }
}

/// A request's clip.
#[derive(EntityEvent, Debug, Clone)]
pub struct MotionReady {
    /// The entity of the request.
    pub entity: Entity,
    /// The clip.
    pub clip: Handle<MotionClip>,
}

/// Why a request has no clip.
#[derive(EntityEvent, Debug, Clone)]
pub struct MotionFailed {
    /// The entity of the request.
    pub entity: Entity,
    /// Why.
    pub error: String,
}

/// Requests that are at work.
#[derive(Resource, Debug, Default)]
struct Pending(HashMap<Entity, Ticket>);

impl Pending {
    fn entity_of(&self, job: JobId) -> Option<Entity> {
        let mut known = self.0.iter();
        known
            .find(|(_, ticket)| ticket.id == job)
            .map(|(entity, _)| *entity)
    }
}

fn hand_in(
    generation: Res<Generation>,
    mut pending: ResMut<Pending>,
    new: Query<(Entity, &MotionRequest), Changed<MotionRequest>>,
    mut removed: RemovedComponents<MotionRequest>,
    requests: Query<(), With<MotionRequest>>,
) {
    for entity in removed.read() {
        if !requests.contains(entity)
            && let Some(ticket) = pending.0.remove(&entity)
        {
            ticket.cancel();
        }
    }
    for (entity, request) in &new {
        let ticket = generation.submit(Job {
            scene: request.scene.clone(),
            settings: request.settings.clone(),
            streams: false,
        });
        if let Some(old) = pending.0.insert(entity, ticket) {
            old.cancel();
        }
    }
}

fn answer(
    mut commands: Commands,
    mut updates: MessageReader<GenerationUpdate>,
    mut pending: ResMut<Pending>,
    mut clips: ResMut<Assets<MotionClip>>,
) {
    for GenerationUpdate { job, update } in updates.read() {
        let Some(entity) = pending.entity_of(*job) else {
            continue;
        };
        match update {
            Update::Done(made) => {
                let clip = clips.add(made.motion.clone());
                commands.trigger(MotionReady { entity, clip });
            }
            Update::Failed(error) => {
                let error = error.clone();
                commands.trigger(MotionFailed { entity, error });
            }
            Update::Cancelled => {}
            Update::Started { .. }
            | Update::Progress { .. }
            | Update::Step(_)
            | Update::Note(_) => {
                continue;
            }
        }
        pending.0.remove(&entity);
    }
}
