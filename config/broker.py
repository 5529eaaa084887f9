"""How Celery is set up: it carries doorbells and ticks, nothing else.

Losing, doubling or forging a message changes nothing, so there are no late acknowledgements, no
results, no prefetching and no remote control (reliability.md, section 1, says why for each).
"""

from config import environment

broker_url = environment.text("REDIS_URL")
task_acks_late = False
task_ignore_result = True
result_backend = None
task_publish_retry = False
worker_prefetch_multiplier = 1
worker_disable_prefetch = True
worker_enable_remote_control = False
worker_send_task_events = True
worker_hijack_root_logger = False
broker_connection_retry_on_startup = True
broker_connection_max_retries = None
broker_channel_error_retry = True
broker_pool_acquire_timeout = 5
accept_content = ["json"]
task_serializer = "json"
enable_utc = True
timezone = "UTC"
broker_transport_options = {
    "global_keyprefix": "autonomy:",
    "visibility_timeout": 3600,
    "socket_timeout": 5,
    "socket_connect_timeout": 3,
    "socket_keepalive": True,
    "health_check_interval": 10,
    "queue_order_strategy": "sorted",
}
beat_scheduler = "heartbeats.process:Beat"
beat_max_loop_interval = 5
