// Kinograd: human motion that does what you say and goes where you point, as a C library.
// docs/c.md is the guide. MIT or Apache-2.0.
//
// This file is made by cbindgen. To make it again:
//   KINOGRAD_HEADER=write cargo test -p kinograd-capi header
//
// Failures. Functions return a kg_status, 0 for success, and do nothing halfway: where one fails,
// what it would have written through a pointer is as it was, but for a `size` (see Texts).
// kg_last_error() says what went wrong in the thread's last call.
//
// Handles. kg_model, kg_task, kg_job, kg_clip, kg_rig and kg_blob are handles: numbers that look like
// pointers and point to nothing. Whoever gets one destroys it. A handle that is NULL, destroyed or of
// another kind is KG_STATUS_INVALID_HANDLE and never undefined behaviour. Objects live for as long as
// a call or a job needs them, whoever destroys their handle.
//
// Threads. Any thread may call any function at any time, unless a function says otherwise; one handle
// may be used by several threads, also while another destroys it. Calls that make clips are jobs;
// opening a model and reading and writing files take their time on the thread that calls.
//
// Memory. Nothing that a function returns is freed with free(), and nothing that is passed in is kept
// after the call: texts, structures and arrays belong to the caller.
//
// Texts are UTF-8 and end in a NUL, paths as well. A function that writes one takes `buffer` of
// `capacity` bytes, and says in `size` how many are needed, the NUL included: call it with a NULL
// buffer and capacity 0 to learn that. Too small a buffer is KG_STATUS_BUFFER_TOO_SMALL. `size` may
// be NULL where the buffer is not.
//
// Structures of options begin with `struct_size`. Set all bytes to 0 and `struct_size` to sizeof of
// the structure; 0 and NULL are the defaults, so that programs go on working with libraries whose
// structures have grown.
//
// World: metres, Y up, right-handed; a clip starts at the origin facing +Z, left is +X. Places on the
// ground are (x, z). Times are seconds from the start of a clip.
//
// No function throws or ends the program: a fault of the library is KG_STATUS_INTERNAL.


#ifndef KINOGRAD_H
#define KINOGRAD_H

#include <stdint.h>

// The version of this header, first part. Programs of one major version run with libraries of the
// same one that are not older.
#define KG_VERSION_MAJOR 0

// The version of this header, second part. While the first is 0, another one may be incompatible.
#define KG_VERSION_MINOR 1

// The version of this header, third part.
#define KG_VERSION_PATCH 0

// What came of a call. Values keep their meaning in later versions, which may add others.
enum kg_status
#if defined(__cplusplus) || __STDC_VERSION__ >= 202311L
  : int32_t
#endif // defined(__cplusplus) || __STDC_VERSION__ >= 202311L
 {
  // It did what it says.
  KG_STATUS_OK = 0,
  // A pointer is NULL that must not be, a text is not UTF-8, a number or a word is none that is
  // taken, or a `struct_size` fits no version of the structure.
  KG_STATUS_INVALID_ARGUMENT = 1,
  // A handle is NULL, was destroyed, is of another kind or was never one.
  KG_STATUS_INVALID_HANDLE = 2,
  // What was to be written is longer than the buffer; nothing was written.
  KG_STATUS_BUFFER_TOO_SMALL = 3,
  // A task asks for what cannot be; the message names the field.
  KG_STATUS_INVALID_TASK = 4,
  // A file could not be read.
  KG_STATUS_READ_FAILED = 5,
  // A file could not be written; what was there before is still there.
  KG_STATUS_WRITE_FAILED = 6,
  // No file format has this extension.
  KG_STATUS_UNKNOWN_FORMAT = 7,
  // A model package, an engine or a network failed.
  KG_STATUS_MODEL_FAILED = 8,
  // A clip or a rig is not what is needed, as one whose joints cannot be told.
  KG_STATUS_INVALID_CLIP = 9,
  // A network could not be differentiated.
  KG_STATUS_GRADIENT_FAILED = 10,
  // The job was cancelled.
  KG_STATUS_CANCELLED = 11,
  // The time is over and the job goes on.
  KG_STATUS_TIMEOUT = 12,
  // The job has not got there yet.
  KG_STATUS_NOT_READY = 13,
  // More is asked for than this library takes on, as frames of a clip or bytes of a file.
  KG_STATUS_OVER_BUDGET = 14,
  // A fault of this library.
  KG_STATUS_INTERNAL = 15,
};
#ifndef __cplusplus
#if __STDC_VERSION__ >= 202311L
typedef enum kg_status kg_status;
#else
typedef int32_t kg_status;
#endif // __STDC_VERSION__ >= 202311L
#endif // __cplusplus

// Bits of feet that stand on the ground.
enum kg_foot
#if defined(__cplusplus) || __STDC_VERSION__ >= 202311L
  : uint32_t
#endif // defined(__cplusplus) || __STDC_VERSION__ >= 202311L
 {
  // The left ankle.
  KG_FOOT_LEFT_ANKLE = 1,
  // The left toe.
  KG_FOOT_LEFT_TOE = 2,
  // The right ankle.
  KG_FOOT_RIGHT_ANKLE = 4,
  // The right toe.
  KG_FOOT_RIGHT_TOE = 8,
};
#ifndef __cplusplus
#if __STDC_VERSION__ >= 202311L
typedef enum kg_foot kg_foot;
#else
typedef uint32_t kg_foot;
#endif // __STDC_VERSION__ >= 202311L
#endif // __cplusplus

// Where a job stands.
enum kg_job_state
#if defined(__cplusplus) || __STDC_VERSION__ >= 202311L
  : int32_t
#endif // defined(__cplusplus) || __STDC_VERSION__ >= 202311L
 {
  // It waits for another job of its model.
  KG_JOB_STATE_QUEUED = 0,
  // It works.
  KG_JOB_STATE_RUNNING = 1,
  // Its clips are there.
  KG_JOB_STATE_DONE = 2,
  // It failed; kg_job_wait says why.
  KG_JOB_STATE_FAILED = 3,
  // It was cancelled.
  KG_JOB_STATE_CANCELLED = 4,
};
#ifndef __cplusplus
#if __STDC_VERSION__ >= 202311L
typedef enum kg_job_state kg_job_state;
#else
typedef int32_t kg_job_state;
#endif // __STDC_VERSION__ >= 202311L
#endif // __cplusplus

// How much a message matters.
enum kg_log_level
#if defined(__cplusplus) || __STDC_VERSION__ >= 202311L
  : int32_t
#endif // defined(__cplusplus) || __STDC_VERSION__ >= 202311L
 {
  // Nothing is said.
  KG_LOG_LEVEL_OFF = 0,
  // Something failed.
  KG_LOG_LEVEL_ERROR = 1,
  // Something that a user should know, as a prompt that is far from all the model knows.
  KG_LOG_LEVEL_WARN = 2,
  // What is done.
  KG_LOG_LEVEL_INFO = 3,
  // How it is done.
  KG_LOG_LEVEL_DEBUG = 4,
  // Everything.
  KG_LOG_LEVEL_TRACE = 5,
};
#ifndef __cplusplus
#if __STDC_VERSION__ >= 202311L
typedef enum kg_log_level kg_log_level;
#else
typedef int32_t kg_log_level;
#endif // __STDC_VERSION__ >= 202311L
#endif // __cplusplus

// The frame that a joint's transform is given in.
enum kg_space
#if defined(__cplusplus) || __STDC_VERSION__ >= 202311L
  : int32_t
#endif // defined(__cplusplus) || __STDC_VERSION__ >= 202311L
 {
  // That of the joint's parent; the root's is in the world.
  KG_SPACE_LOCAL = 0,
  // The world: metres, Y up, right-handed, left of the clip's start is +X.
  KG_SPACE_WORLD = 1,
};
#ifndef __cplusplus
#if __STDC_VERSION__ >= 202311L
typedef enum kg_space kg_space;
#else
typedef int32_t kg_space;
#endif // __STDC_VERSION__ >= 202311L
#endif // __cplusplus

// Bytes that the library made: a file in memory, or a report as JSON in UTF-8, without a NUL.
typedef struct kg_blob kg_blob;

// A clip: a skeleton that moves.
typedef struct kg_clip kg_clip;

// Clips that are being made, or were.
typedef struct kg_job kg_job;

// A model package on an engine, ready to make clips.
typedef struct kg_model kg_model;

// A character from a file.
typedef struct kg_rig kg_rig;

// All that is asked for. It is collected step by step or read from JSON, and checked by
// kg_task_check and by kg_job_start.
typedef struct kg_task kg_task;

// What a clip is.
typedef struct {
  // sizeof(kg_clip_info), set by the caller.
  uint32_t struct_size;
  // Number of joints.
  uint32_t joint_count;
  // Number of frames.
  uint32_t frame_count;
  // 1 if the clip can be played again from its end, from where the body is then: poses meet within
  // 2 cm and no joint changes its velocity more than within the clip; else 0.
  uint32_t is_loop;
  // Frames per second.
  double fps;
  // Seconds: a frame lasts 1 / fps.
  double duration_secs;
  // The clip's own seed: a task for one clip with this seed gives the same clip. 0 for clips that
  // no model made.
  uint64_t seed;
} kg_clip_info;

// Where a joint is and how it is turned.
typedef struct {
  // Place, metres: x, y, z.
  float translation_m[3];
  // Unit quaternion: x, y, z, w.
  float rotation[4];
} kg_transform;

// How a clip is written. All bytes 0 but `struct_size` is the default.
typedef struct {
  // sizeof(kg_save_options).
  uint32_t struct_size;
  // 0.
  uint32_t reserved;
  // Frames per second; 0 is the clip's own.
  double fps;
  // Metres per unit of a format without a unit of its own (BVH); 0 is 1.
  double unit_to_metre;
  // Where the travel lies: `keep` (NULL: in the hips), `extract` (in a root bone on the ground) or
  // `in-place` (nowhere).
  const char *root_motion;
  // Whose names the joints get: `ours`, `mixamo`, `ue5`, `unity` or `vrm`; NULL leaves them.
  const char *joint_names;
  // The pose in which the skeleton rests: `t` or `a`; NULL leaves it.
  const char *rest_pose;
} kg_save_options;

// What is differentiated. All bytes 0 but `struct_size` is the default: the first output that
// holds floats by the first input that does.
typedef struct {
  // sizeof(kg_gradient_options).
  uint32_t struct_size;
  // Not 0 for two graphs, `NAME-forward.onnx` and `NAME-backward.onnx`, in place of one.
  uint32_t split;
  // Not 0 for gradients by all weights, too.
  uint32_t weights;
  // Number of `inputs`.
  uint32_t input_count;
  // Number of `outputs`.
  uint32_t output_count;
  // 0.
  uint32_t reserved;
  // Names of the inputs to differentiate by.
  const char *const *inputs;
  // Names of the outputs to differentiate.
  const char *const *outputs;
} kg_gradient_options;

// What a job does besides its clips. All bytes 0 but `struct_size` is the default.
typedef struct {
  // sizeof(kg_job_options).
  uint32_t struct_size;
  // Not 0 keeps the estimate of each step for kg_job_partial, which costs time at each.
  uint32_t keep_partial;
} kg_job_options;

// How far a job is.
typedef struct {
  // sizeof(kg_job_progress), set by the caller.
  uint32_t struct_size;
  // A kg_job_state.
  int32_t state;
  // Units of work that are done, as denoising steps.
  uint64_t done;
  // Units of work; 0 before they are known.
  uint64_t total;
  // Number of clips that are there: all of them, once the job is done.
  uint32_t clip_count;
  // How many estimates kg_job_partial has had; a change says that there is a new one.
  uint32_t partial_count;
} kg_job_progress;

// Gets a message: `user` as it was given, a kg_log_level, and UTF-8 text that holds until the
// function returns. It may be called from any thread and from several at once. It must not throw
// and must not set another callback.
typedef void (*kg_log_callback)(void *user, int32_t level, const char *message);

// How a model is run. All bytes 0 but `struct_size` is the default.
typedef struct {
  // sizeof(kg_engine_options).
  uint32_t struct_size;
  // Processor threads; 0 takes one per core.
  uint32_t threads;
  // `auto`, `onnxruntime` or `built-in`; NULL is `auto`: ONNX Runtime where its library is found,
  // else the built-in engine.
  const char *engine;
  // `auto`, `cpu`, `cuda` or `tensorrt`; NULL is `auto`.
  const char *provider;
  // Path of ONNX Runtime's library or of its folder; NULL looks for it as the command line does.
  const char *onnx_runtime;
} kg_engine_options;

#ifdef __cplusplus
extern "C" {
#endif // __cplusplus

// Number of bytes.
//
// Any thread may call it.
kg_status kg_blob_size(const kg_blob *blob, uint64_t *size);

// Copies all bytes into `buffer`, which holds `capacity` of them.
//
// Any thread may call it.
kg_status kg_blob_copy(const kg_blob *blob, uint8_t *buffer, uint64_t capacity);

// Destroys a blob; NULL is taken.
//
// Any thread may call it.
kg_status kg_blob_destroy(kg_blob *blob);

// Reads a clip: a .glb, .vrm, .fbx, .bvh, .npz or .npy. Metres with Y up, whatever the file has.
//
// Any thread may call it.
kg_status kg_clip_load(const char *path, kg_clip **clip);

// Destroys a clip; NULL is taken.
//
// Any thread may call it.
kg_status kg_clip_destroy(kg_clip *clip);

// What a clip is. `info->struct_size` must be set.
//
// Any thread may call it.
kg_status kg_clip_get_info(const kg_clip *clip, kg_clip_info *info);

// The name of a joint, by its number from 0. See "Texts" above for `buffer`, `capacity` and `size`.
//
// Any thread may call it.
kg_status kg_clip_joint_name(const kg_clip *clip,
                             uint32_t joint,
                             char *buffer,
                             uint64_t capacity,
                             uint64_t *size);

// The parent of each joint into `parents`, which has place for `count`; -1 for the root, which is
// joint 0. Parents come before their children.
//
// Any thread may call it.
kg_status kg_clip_parents(const kg_clip *clip, int32_t *parents, uint32_t count);

// How the clip came to be and what was measured of it, as JSON: the task that makes it again, the
// models' hashes, distances from the goals, sliding of the feet. See "Texts" above for `buffer`,
// `capacity` and `size`.
//
// Any thread may call it.
kg_status kg_clip_report_json(const kg_clip *clip, char *buffer, uint64_t capacity, uint64_t *size);

// The transform of each joint at a time, smooth between frames, into `transforms`, which has place
// for `count`. Before the start it is the first pose, after the end the last.
//
// Any thread may call it, and several may sample one clip.
kg_status kg_clip_sample(const kg_clip *clip,
                         double time_secs,
                         int32_t space,
                         kg_transform *transforms,
                         uint32_t count);

// The transform of each joint in the rest pose, into `transforms`, which has place for `count`. In
// its parent's frame no joint is turned.
//
// Any thread may call it.
kg_status kg_clip_rest(const kg_clip *clip,
                       int32_t space,
                       kg_transform *transforms,
                       uint32_t count);

// Where the body is on the ground at a time, and its heading: a transform in the world on the
// ground under the hips, turned about Y. It does not sway with the hips, and is what a root bone of
// the saved clip would have (`root_motion` of kg_save_options).
//
// Any thread may call it.
kg_status kg_clip_root(const kg_clip *clip, double time_secs, kg_transform *root);

// How the body moves on the ground from one time to another: kg_clip_root at `to_secs` in the frame
// of kg_clip_root at `from_secs`. A character that is placed at T goes to T times this.
//
// Any thread may call it.
kg_status kg_clip_root_motion(const kg_clip *clip,
                              double from_secs,
                              double to_secs,
                              kg_transform *motion);

// Which parts of the feet stand on the ground at a time: bits of kg_foot, of the frame that is
// nearest.
//
// Any thread may call it.
kg_status kg_clip_foot_contacts(const kg_clip *clip, double time_secs, uint32_t *feet);

// Writes a clip by the extension of `path`: .glb, .fbx, .bvh or .npz, a sheet of poses as .png, or
// its report as .json. The file is whole or not there, and has the record of how the clip came to
// be; a BVH has it beside, as `NAME.bvh.json`. `options` may be NULL.
//
// Any thread may call it.
kg_status kg_clip_save(const kg_clip *clip, const char *path, const kg_save_options *options);

// Writes a clip into memory, by an extension without its dot, such as `glb`: the bytes of the file
// that kg_clip_save would write. They are the caller's, as `file`. `options` may be NULL.
//
// Any thread may call it.
kg_status kg_clip_encode(const kg_clip *clip,
                         const char *format,
                         const kg_save_options *options,
                         kg_blob **file);

// Reads the ONNX file `model` and writes `v -> J^T v` of it as the ONNX file `path`, for any engine
// to run. `options` may be NULL. `report` gets what was written, as JSON: files, names of the
// inputs that take cotangents and of the outputs that are gradients; it may be NULL.
//
// Any thread may call it.
kg_status kg_gradient_write(const char *model,
                            const char *path,
                            const kg_gradient_options *options,
                            kg_blob **report);

// Checks the task and starts to make its clips with a model, on a thread of its own. Jobs of one
// model work one after the other, in no promised order; jobs of several models work at the same
// time. A task with `optimization` is optimised. Later changes of the task do not matter. `options`
// may be NULL.
//
// Any thread may call it.
kg_status kg_job_start(const kg_model *model,
                       const kg_task *task,
                       const kg_job_options *options,
                       kg_job **job);

// How far a job is; it does not wait. `progress->struct_size` must be set.
//
// Any thread may call it.
kg_status kg_job_poll(const kg_job *job, kg_job_progress *progress);

// Waits until a job is done, for `timeout_secs` at most; a negative number waits for as long as it
// takes, 0 looks only. Returns KG_STATUS_OK when the clips are there, KG_STATUS_TIMEOUT when the
// time is over, KG_STATUS_CANCELLED for a job that was cancelled, or why it failed.
//
// Any thread may call it, and several may wait for one job.
kg_status kg_job_wait(const kg_job *job, double timeout_secs);

// Asks a job to stop, and returns at once. It stops after the step that it is at; kg_job_wait tells
// when. A job that has ended stays as it is.
//
// Any thread may call it.
kg_status kg_job_cancel(const kg_job *job);

// A clip of a job that is done, by its number from 0. It is the caller's, as is every handle, and
// stays when the job is destroyed. KG_STATUS_NOT_READY before; why it failed, where it did.
//
// Any thread may call it.
kg_status kg_job_clip(const kg_job *job, uint32_t index, kg_clip **clip);

// The current estimate of the first clip at work, as a clip on the canonical body of 22 joints at 20
// frames per second, without the clean-up that finished clips get. KG_STATUS_NOT_READY where no
// step is done yet or the job was started without `keep_partial`.
//
// Any thread may call it.
kg_status kg_job_partial(const kg_job *job,
                         kg_clip **clip);

// Destroys a job; NULL is taken. One that works is cancelled and stops on its own after the step
// that it is at, without being waited for. Before this library is unloaded, or the program ends,
// cancel jobs and wait for them.
//
// Any thread may call it.
kg_status kg_job_destroy(kg_job *job);

// Takes messages up to `level`, a kg_log_level, to `callback`, with `user` as its first argument;
// NULL ends it. Without one, the library says nothing; warnings of jobs are in their clips' reports
// all the same.
//
// Any thread may call it, but not the callback. When it returns, the callback before is not running
// and will not be called again.
kg_status kg_log_set_callback(int32_t level, kg_log_callback callback, void *user);

// Opens a model package: by name (`motion-base`, looked for as the command line does), or by the
// path of its folder, which has a separator in it. NULL is the default, `motion-base`. It reads and
// checks files for a second or so; `options` may be NULL.
//
// Any thread may call it.
kg_status kg_model_open(const char *name_or_folder,
                        const kg_engine_options *options,
                        kg_model **model);

// What the package says of itself (its manifest: name, version, licence, known prompts, limits) and
// which engine runs it, as JSON. See "Texts" above for `buffer`, `capacity` and `size`.
//
// Any thread may call it, also while a job runs.
kg_status kg_model_info_json(const kg_model *model,
                             char *buffer,
                             uint64_t capacity,
                             uint64_t *size);

// Destroys a model; NULL is taken. Jobs that use it go on, and its memory is freed with the last.
//
// Any thread may call it.
kg_status kg_model_destroy(kg_model *model);

// Reads a character: a GLB, VRM, FBX or BVH, or a clip as NPZ. `mapping` is a file that says which
// joints are which, or NULL where their names tell.
//
// Any thread may call it.
kg_status kg_rig_open(const char *file, const char *mapping, kg_rig **rig);

// What was found in the character's file, as JSON: number of joints, scale, which joint is which
// part of the body, doubts. See "Texts" above for `buffer`, `capacity` and `size`.
//
// Any thread may call it.
kg_status kg_rig_report_json(const kg_rig *rig, char *buffer, uint64_t capacity, uint64_t *size);

// Puts a clip on a character, as a clip of its own: saved as GLB it has the character's mesh.
// `travel` is `scaled` (NULL: in proportion to its legs) or `kept`.
//
// Any thread may call it.
kg_status kg_rig_retarget(const kg_rig *rig,
                          const kg_clip *clip,
                          const char *travel,
                          kg_clip **retargeted);

// Destroys a rig; NULL is taken. Clips on it stay.
//
// Any thread may call it.
kg_status kg_rig_destroy(kg_rig *rig);

// What went wrong in the last call of this thread, in English, as UTF-8; empty where it went well.
// It holds until the thread's next call of this library and must not be freed.
//
// Any thread may call it; it tells of the calls of its own thread only.
const char *kg_last_error(void);

// A task with a prompt for the whole clip, of 6 seconds.
//
// Any thread may call it.
kg_status kg_task_create(const char *prompt, kg_task **task);

// A task from its JSON form, which says everything that a task can say: timed prompts, goals for
// any joint, shapes in space, losses, rewards. A mistake is an error that names the field.
//
// Any thread may call it.
kg_status kg_task_from_json(const char *json, kg_task **task);

// The task as JSON, which makes the same task again. See "Texts" above for `buffer`, `capacity` and
// `size`. A task that cannot be is an error, as of kg_task_check.
//
// Any thread may call it.
kg_status kg_task_to_json(const kg_task *task, char *buffer, uint64_t capacity, uint64_t *size);

// Whether the task can be; if not, the message names the field, what came and what was expected.
//
// Any thread may call it.
kg_status kg_task_check(const kg_task *task);

// Adds a prompt for what the person does from `from_secs` on, in place of what they did before.
//
// Any thread may call it.
kg_status kg_task_add_prompt(kg_task *task, const char *prompt, double from_secs);

// Sets the length of the clip, seconds.
//
// Any thread may call it.
kg_status kg_task_set_duration(kg_task *task, double duration_secs);

// Sets the frames per second of the clip; 20, the model's own, if it is not set.
//
// Any thread may call it.
kg_status kg_task_set_fps(kg_task *task, double fps);

// Adds a place on the ground to be at: metres, and seconds from the start of the clip; a negative
// time is its end.
//
// Any thread may call it.
kg_status kg_task_add_target(kg_task *task, double x_m, double z_m, double time_secs);

// Adds a place on the ground to pass on the way: metres, and seconds from the start of the clip.
//
// Any thread may call it.
kg_status kg_task_add_waypoint(kg_task *task, double x_m, double z_m, double time_secs);

// Adds a circle on the ground that the body's root keeps out of, metres. Shapes in space are added
// by JSON.
//
// Any thread may call it.
kg_status kg_task_add_obstacle(kg_task *task, double x_m, double z_m, double radius_m);

// Sets the seed: the same task, model, engine and number of threads give the same bytes on one
// machine. Clip `i` of several has the noise of `seed + i`.
//
// Any thread may call it.
kg_status kg_task_set_seed(kg_task *task, uint64_t seed);

// Sets how many clips a job makes; 1 if it is not set.
//
// Any thread may call it.
kg_status kg_task_set_count(kg_task *task, uint32_t count);

// Sets how many clips are drawn for each that is kept, the best of them; 1 if it is not set.
//
// Any thread may call it.
kg_status kg_task_set_best_of(kg_task *task, uint32_t draws);

// Sets the number of denoising steps; the model's own if it is not set, or else 20.
//
// Any thread may call it.
kg_status kg_task_set_steps(kg_task *task, uint32_t steps);

// Sets how goals steer, by the method's name, such as `projection`, which is taken if none is set,
// or `none`. A name that is unknown is an error that lists the known ones.
//
// Any thread may call it.
kg_status kg_task_set_method(kg_task *task, const char *method);

// Sets the strength of the steering; what was tuned for the method if it is not set.
//
// Any thread may call it.
kg_status kg_task_set_guidance_scale(kg_task *task, double scale);

// Sets whether feet in contact are held still: 0 leaves them as the model has them. They are held
// if it is not set.
//
// Any thread may call it.
kg_status kg_task_set_foot_lock(kg_task *task, uint32_t foot_lock);

// Makes clips for a character: a GLB, VRM, FBX or BVH, or a clip as NPZ. The goals' places are then
// in the character's world. `mapping` is a file that says which joints are which, or NULL where
// their names tell; `travel` is `scaled` (NULL: in proportion to its legs) or `kept`. The files are
// read when the job starts.
//
// Any thread may call it.
kg_status kg_task_set_rig(kg_task *task, const char *file, const char *mapping, const char *travel);

// The name or folder of the model that the task asks for, for kg_model_open. See "Texts" above for
// `buffer`, `capacity` and `size`.
//
// Any thread may call it.
kg_status kg_task_model(const kg_task *task, char *buffer, uint64_t capacity, uint64_t *size);

// Destroys a task; NULL is taken. Jobs that were started with it go on.
//
// Any thread may call it.
kg_status kg_task_destroy(kg_task *task);

// The version of the library that runs, as `major << 20 | minor << 10 | patch`. Compare with the
// same of KG_VERSION_MAJOR, KG_VERSION_MINOR and KG_VERSION_PATCH.
//
// Any thread may call it. It does not fail.
uint32_t kg_version(void);

// The version of the library that runs, as text such as `0.1.0`. It is not freed.
//
// Any thread may call it. It does not fail.
const char *kg_version_string(void);

#ifdef __cplusplus
}  // extern "C"
#endif  // __cplusplus

#endif  /* KINOGRAD_H */
