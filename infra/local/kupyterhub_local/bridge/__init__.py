"""What Google Cloud does between the emulators and the functions: Eventarc, Pub/Sub push, Scheduler.

Events go one way: `server` takes them in, `firestore_event` and `pubsub_event` repair them, `event_queue`
keeps them, `delivery` posts them to the functions until these answer 2xx. Beside that, `schedule` publishes
`resync` and `exporter` keeps a snapshot of Firestore, whose emulator holds its data in memory.
"""

from kupyterhub_local.bridge.snapshot_folder import latest_snapshot

__all__ = ["latest_snapshot"]
