--- What other tools call what Lorenz has: for messages about a word that is theirs, and for the
--- pages `lorenz explain tools`, `chaos-mesh`, `pod-kill`.
---
--- ```lua
--- tools.fault "pod_kill"        --> { "kill" }, nil
--- tools.fault "kernel_chaos"    --> {}, "system calls are not modelled: ..."
--- tools.word "experiment"       --> "scenario", nil
--- ```
---
--- A row is { their group, their words, ours, a note }: their words apart by spaces, ours topics of
--- `lorenz explain`, or nothing where Lorenz has none and the note says what comes near. How a
--- fault of theirs differs from ours is on the page of ours (`elsewhere` of its table in C).
local M = {}

M.list = {
    { "chaos-mesh", "Chaos Mesh", {
        { "PodChaos", "pod-kill container-kill", "fault.kill",
            "who starts it again is the target's `restart`" },
        { "PodChaos", "pod-failure", "fault.kill", "with `lasting`" },
        { "NetworkChaos", "delay", "fault.latency",
            "its `latency` is `add`, its `jitter` a distribution" },
        { "NetworkChaos", "loss", "fault.loss" },
        { "NetworkChaos", "duplicate", "fault.duplicate" },
        { "NetworkChaos", "corrupt", "fault.corrupt" },
        { "NetworkChaos", "reorder", "fault.reorder" },
        { "NetworkChaos", "rate bandwidth", "fault.bandwidth" },
        { "NetworkChaos", "limit", "fault.bandwidth", "what may wait: it is `buffer`" },
        { "NetworkChaos", "peakrate minburst", nil, "a line has no bucket that fills: what of "
            .. "fault.bandwidth does not fit waits, and beyond `buffer` is dropped" },
        { "NetworkChaos", "partition", "fault.partition" },
        { "NetworkChaos", "jitter correlation", "fault.latency",
            "`add` is a distribution; `correlation` has its name, of other faults of packets too" },
        { "NetworkChaos", "gap", "fault.reorder", "theirs counts packets, ours is a time" },
        { "NetworkChaos", "device", nil, "a process has one way to each other: it is the link, or "
            .. "fault.nic_down of a host" },
        { "StressChaos", "cpu", "fault.cpu" },
        { "StressChaos", "memory", "fault.memory" },
        { "IOChaos", "latency io-latency", "fault.disk_latency" },
        { "IOChaos", "fault io-fault", "fault.disk_error" },
        { "IOChaos", "mistake io-mistake", "fault.disk_corrupt" },
        { "IOChaos", "attrOverride io-attr-override", nil, "files have no attributes here; "
            .. "what a permission that is gone does is fault.disk_error { errno = \"EACCES\" }" },
        { "IOChaos", "errno", "fault.disk_error", "`errno`, for people: any fails the operation" },
        { "IOChaos", "methods percent", "fault.disk_latency fault.disk_error",
            "`operations` and `ratio`; a disk's corruption is of what is read" },
        { "IOChaos", "volumePath", nil, "a node has one disk, and files have no names: the "
            .. "target is the node" },
        { "TimeChaos", "timeOffset", "fault.clock_step fault.clock_skew",
            "a jump, or a slow slide there and back" },
        { "TimeChaos", "clockIds", "fault.clock_step",
            "the wall clock (CLOCK_REALTIME); timers and timeouts go on as they were" },
        { "DNSChaos", "patterns", "fault.dns",
            "one fault for each name; the second target is whose lookups are meant" },
        { "DNSChaos", "error dns-error", "fault.dns", 'answer = "servfail" or "nxdomain"' },
        { "DNSChaos", "random dns-random", "fault.dns", "`spoof`: an address where nobody is" },
        { "HTTPChaos", "abort", "fault.http_reset",
            "the connection breaks; its `code` is `of_status`, `request_headers` one `header`" },
        { "HTTPChaos", "delay", "fault.http_delay", "of a Response: side = \"answer\"" },
        { "HTTPChaos", "code", "fault.http_reset fault.http_delay fault.http_replace",
            "of answers that are chosen it is `of_status`; of `replace`, it is `status`" },
        { "HTTPChaos", "replace", "fault.http_replace", "of a Response: `status`, `body`, one "
            .. "header; requests are not rewritten, nor are their queries" },
        { "HTTPChaos", "patch", "fault.http_replace", "`set_header` adds one, in `lorenz live`; "
            .. "a body is replaced as a whole" },
        { "HTTPChaos", "port path method", "fault.http_reset fault.http_delay fault.http_abort" },
        { "HTTPChaos", "request_headers response_headers", "fault.http_reset", "`header`, one, "
            .. "of the request, in `lorenz live`; answers are not chosen by theirs" },
        { "KernelChaos", "failKernRequest", nil, "system calls are not modelled: what a failing "
            .. "one does is fault.disk_error, fault.fd_limit, fault.memory" },
        { "JVMChaos", "gc jvm-gc", "fault.pause" },
        { "JVMChaos", "exception return jvm-exception jvm-return",
            "fault.http_abort fault.bad_deploy" },
        { "JVMChaos", "stress jvm-stress", "fault.cpu fault.memory" },
        { "JVMChaos", "jvm-latency latency", "fault.http_delay fault.degrade",
            "of a method: of the request that calls it, or of all that a replica does" },
        { "JVMChaos", "ruleData mysql jvm-rule-data jvm-mysql", nil,
            "there is no code to change: what a statement meets is fault.http_abort or "
            .. "fault.http_delay of the database" },
        { "BlockChaos", "block-delay delay", "fault.disk_latency" },
        { "AWSChaos", "ec2-stop gcp-node-stop azure-vm-stop", "fault.down" },
        { "AWSChaos", "ec2-restart node-reset vm-restart", "fault.reboot" },
        { "AWSChaos", "detach-volume disk-loss disk-detach", "fault.volume_detach" },
        { "PhysicalMachineChaos", "stress-cpu", "fault.cpu" },
        { "PhysicalMachineChaos", "stress-mem", "fault.memory" },
        { "PhysicalMachineChaos", "disk-fill", "fault.disk_full" },
        { "PhysicalMachineChaos", "clock", "fault.clock_step" },
        { "PhysicalMachineChaos", "process", "fault.kill fault.stop" },
        { "PhysicalMachineChaos", "disk-read-payload disk-write-payload", "fault.disk_iops",
            "what is left to others" },
        { "PhysicalMachineChaos", "network-flood", "fault.flood" },
        { "PhysicalMachineChaos", "network-down", "fault.nic_down" },
        { "PhysicalMachineChaos", "network-dns", "fault.dns" },
        { "PhysicalMachineChaos", "http-abort", "fault.http_reset", "the connection breaks" },
        { "PhysicalMachineChaos", "http-delay", "fault.http_delay" },
        { "PhysicalMachineChaos", "http-request", "fault.surge",
            "so many requests that nobody meant" },
        { "PhysicalMachineChaos", "vm", "fault.down" },
        { "PhysicalMachineChaos", "file-create file-modify file-delete file-rename file-append",
            nil, "files have no names here: fault.disk_corrupt, fault.disk_full and "
            .. "fault.config_push do what of it a program notices" },
        { "PhysicalMachineChaos", "user_defined", "drive", "Lua beside the system" },
        { "PhysicalMachineChaos", "kafka-fill", "fault.disk_full", "of the broker's nodes" },
        { "PhysicalMachineChaos", "kafka-flood", "fault.surge" },
        { "PhysicalMachineChaos", "kafka-io", "fault.disk_error", "of the broker's nodes" },
        { "RedisChaos", "cache-expiration redis-expiration", "fault.expire fault.flush" },
        { "RedisChaos", "redis-cacheLimit cacheLimit", "fault.cache_limit",
            "its `cacheSize` is `entries`, its `percent` `share`" },
        { "RedisChaos", "redis-penetration penetration", "fault.surge",
            "traffic whose `keys` are not in the cache" },
        { "RedisChaos", "redis-restart redis-stop sentinel-restart sentinel-stop",
            "fault.kill fault.stop" },
        { "a manifest", "mode value", "pick", '"one", "all", 2 or "50%": a field of each fault' },
        { "a manifest", "selector", nil, "what a fault acts on is its first entry: "
            .. "fault.kill { web, at = \"1m\" }" },
        { "a manifest", "duration", "lasting" },
        { "a manifest", "Schedule", "every" },
        { "a manifest", "Workflow Serial Parallel Suspend", "at drive",
            "a fault's own instant, or a coroutine that sleeps and acts" },
        { "a manifest", "StatusCheck", "expect wait_until",
            "in drive: if wait_until(users.errors.ratio:above \"5%\", { timeout = \"1m\" }) then "
            .. "slow:stop() end" },
        { "a manifest", "abortWithStatusCheck", "abort_when", "of a live run" },
        { "a manifest", "concurrencyPolicy", "every", "Forbid: each is over before the next; "
            .. "for Allow write several faults" },
        { "a manifest", "externalTargets", "fault", "who is outside is a service too, and a "
            .. "fault's second entry: fault.partition { web, payments, at = \"1m\" }" },
        { "a manifest", "direction", nil, "`direction` of a fault: \"to\", \"from\" or \"both\"" },
    } },
    { "litmus", "Litmus", {
        { "pod", "pod-delete k8-pod-delete coredns-pod-delete", "fault.kill",
            "without `force`: `graceful`" },
        { "pod", "container-kill", "fault.kill" },
        { "pod", "pod-cpu-hog pod-cpu-hog-exec", "fault.cpu" },
        { "pod", "pod-memory-hog pod-memory-hog-exec", "fault.memory" },
        { "pod", "pod-network-latency", "fault.latency" },
        { "pod", "pod-network-loss", "fault.loss" },
        { "pod", "pod-network-corruption", "fault.corrupt" },
        { "pod", "pod-network-duplication", "fault.duplicate" },
        { "pod", "pod-network-partition", "fault.partition" },
        { "pod", "pod-network-rate-limit", "fault.bandwidth" },
        { "pod", "pod-dns-error pod-dns-spoof", "fault.dns" },
        { "pod", "pod-http-latency", "fault.http_delay" },
        { "pod", "pod-http-status-code", "fault.http_abort" },
        { "pod", "pod-http-reset-peer", "fault.reset", "`after` is its RESET_TIMEOUT; of some "
            .. "requests: fault.http_reset" },
        { "pod", "pod-http-modify-body", "fault.http_replace", "`body`, of answers" },
        { "pod", "pod-http-modify-header", "fault.http_replace",
            "`set_header`, one, of answers, in `lorenz live`" },
        { "pod", "pod-io-stress pod-fio-stress node-io-stress", "fault.disk_iops",
            "what is left to others" },
        { "pod", "disk-fill", "fault.disk_full" },
        { "pod", "pod-autoscaler", "fault.surge" },
        { "node", "node-cpu-hog", "fault.cpu" },
        { "node", "node-memory-hog", "fault.memory" },
        { "node", "node-drain node-taint", "fault.drain" },
        { "node", "node-restart", "fault.reboot" },
        { "node", "node-poweroff ec2-terminate", "fault.down" },
        { "node", "docker-service-kill", nil, "a container engine is not modelled: what of it is "
            .. "seen is fault.kill of the host's pods, or fault.control_plane_down: none starts" },
        { "node", "kubelet-service-kill", nil, "pods go on and their node is no longer heard of: "
            .. "fault.partition of the host from its control plane, as \"kubernetes\" has them" },
        { "clouds", "ebs-loss ebs-loss-by-id ebs-loss-by-tag azure-disk-loss",
            "fault.volume_detach" },
        { "clouds", "gcp-vm-disk-loss gcp-vm-disk-loss-by-label", "fault.volume_detach" },
        { "clouds", "ec2-terminate-by-id ec2-terminate-by-tag", "fault.down" },
        { "clouds", "gcp-vm-instance-stop gcp-vm-instance-stop-by-label", "fault.down" },
        { "clouds", "azure-instance-stop vm-poweroff", "fault.down" },
        { "clouds", "redfish-node-restart", "fault.reboot" },
        { "clouds", "rds-instance-stop", "fault.stop", "of the database's node; with `lasting`" },
        { "clouds", "aws-ssm-chaos aws-ssm-chaos-by-id aws-ssm-chaos-by-tag", "drive",
            "what the document does, in Lua beside the system" },
        { "applications", "kafka-broker-pod-failure", "fault.kill", "fault.kill { log.node[1] }" },
        { "applications", "kafka-broker-disk-failure", "fault.volume_detach",
            "fault.volume_detach { log.node[1] }" },
        { "applications", "cassandra-pod-delete", "fault.kill" },
        { "applications", "spring-boot-app-kill", "fault.kill" },
        { "applications", "spring-boot-cpu-stress", "fault.cpu" },
        { "applications", "spring-boot-memory-stress", "fault.memory" },
        { "applications", "spring-boot-exceptions spring-boot-faults", "fault.http_abort" },
        { "applications", "spring-boot-latency", "fault.http_delay" },
        { "applications", "k6-loadgen", "traffic fault.surge" },
        { "a manifest", "total-chaos-duration", "lasting" },
        { "a manifest", "chaos-interval", "every" },
        { "a manifest", "pods-affected-perc", "pick" },
        { "a manifest", "ramp-time", "at", "or `warmup` of the scenario" },
        { "a probe", "httpProbe cmdProbe k8sProbe", "expect",
            "of metrics; of real programs, in `lorenz live`, a `probe`" },
        { "a probe", "promProbe", "expect", "of a metric; a rule as it stands is an `alert`" },
        { "a probe", "sloProbe", "slo" },
        { "a probe", "Continuous OnChaos", "always", "OnChaos: `during` the fault" },
        { "a probe", "SOT EOT Edge", "always at_end eventually", "SOT: `during` the time before; "
            .. "EOT: `eventually`, after = outage.ends; Edge: both" },
        { "a probe", "stopOnFailure", "abort_when", "of a live run" },
        { "a probe", "resilience-score", nil, "what failed and by how much is said of each; how "
            .. "often, over many seeds: `lorenz sweep`" },
    } },
    { "gremlin", "Gremlin", {
        { "network", "blackhole", "fault.blackhole" },
        { "network", "latency", "fault.latency" },
        { "network", "packet-loss", "fault.loss" },
        { "network", "dns", "fault.dns" },
        { "network", "certificate-expiry", "fault.cert_expiry" },
        { "resource", "cpu", "fault.cpu" },
        { "resource", "memory", "fault.memory" },
        { "resource", "disk", "fault.disk_full" },
        { "resource", "io", "fault.disk_iops" },
        { "state", "process-killer", "fault.kill" },
        { "state", "process-exhaustion", "fault.pid_limit" },
        { "state", "shutdown", "fault.down fault.reboot" },
        { "state", "time-travel", "fault.clock_step" },
        { "application", "failure-flags", "fault.http_delay fault.http_abort",
            "latency and exceptions at a point of the code: here of requests" },
        { "terms", "blast-radius", "pick", "one fault for each step, each with more" },
        { "terms", "magnitude", "fault",
            "what a fault's own parameters say; `ramp` makes it grow" },
        { "terms", "halt-condition health-check", "expect abort_when", "a live run is undone "
            .. "and ends; a simulation harms nobody, goes on and says how bad it became" },
        { "terms", "reliability-score", nil, "`lorenz sweep`: how often what is expected fails, "
            .. "and how sure that is" },
    } },
    { "toxiproxy", "Toxiproxy", {
        { "toxics", "latency", "fault.latency",
            "of a link, both ways unless `direction` says one; its `jitter` is a distribution" },
        { "toxics", "down", "fault.reset",
            "of the link, with `lasting`: what is behind it goes on" },
        { "toxics", "bandwidth", "fault.bandwidth" },
        { "toxics", "slow_close", "fault.slow_close" },
        { "toxics", "timeout", "fault.partition fault.loss fault.reset",
            "of the link: nothing comes through any more, and what is sent then comes after it, "
            .. "as TCP sends it again, where theirs is dropped; of a share of the connections: "
            .. "fault.loss { ratio = \"20%\", per = \"connection\" }; "
            .. "fault.reset { after = } closes them" },
        { "toxics", "reset_peer", "fault.reset", "its `timeout` is `after`" },
        { "toxics", "slicer", "fault.slicer",
            "its `average_size` is `size`, its `size_variation` `variation`" },
        { "toxics", "limit_data", "fault.limit_data", "of one stream: `direction`" },
        { "attributes", "toxicity", "fault",
            "`ratio`, of connections: of latency with per = \"connection\"" },
        { "attributes", "upstream downstream stream", "fault", "`direction`: \"to\" or \"from\"" },
        { "the API", "enabled", "fault.reset", "a proxy that is not: see down" },
        { "the API", "toxics proxies", "drive fault", "a fault without `at` begins there and then: "
            .. "local slow = fault.latency { ... }; sleep \"1m\"; slow:stop()" },
    } },
    { "chaos-toolkit", "Chaos Toolkit", {
        { "experiment", "experiment", "scenario" },
        { "experiment", "steady-state-hypothesis steady-state hypothesis", "expect",
            "judged over the whole run, not only before and after" },
        { "experiment", "method", "fault drive" },
        { "experiment", "action", "fault" },
        { "experiment", "probe", "expect", "of real programs, in `lorenz live`: probe" },
        { "experiment", "tolerance", "below above between", "the matchers" },
        { "experiment", "rollbacks rollback", "lasting",
            "a fault is undone at its end, and a live one in any case" },
        { "experiment", "configuration", "param" },
        { "experiment", "pauses", "sleep", "in drive" },
        { "experiment", "controls", "drive", "beside the system; a verdict goes elsewhere by "
            .. "`lorenz run --notify`" },
        { "experiment", "journal", nil, "`lorenz run -o json=FILE`, and the run's record: "
            .. "`lorenz sql`, `lorenz report`" },
    } },
    { "aws-fis", "AWS FIS", {
        { "ec2", "stop-instances terminate-instances", "fault.down" },
        { "ec2", "reboot-instances", "fault.reboot" },
        { "ec2", "send-spot-instance-interruptions", "fault.spot_interruption" },
        { "ec2", "api-insufficient-instance-capacity-error", "fault.capacity_shortage" },
        { "ec2", "asg-insufficient-instance-capacity-error", "fault.capacity_shortage" },
        { "ecs", "stop-task task-kill-process", "fault.kill" },
        { "ecs", "drain-container-instances", "fault.drain" },
        { "ecs", "task-cpu-stress", "fault.cpu", "its `percent` is `load`" },
        { "ecs", "task-io-stress", "fault.disk_iops", "what is left to others" },
        { "ecs", "task-network-latency", "fault.latency",
            "its `delayMilliseconds` is `add`, its `jitterMilliseconds` a distribution, its "
            .. "`sources` the second target" },
        { "ecs", "task-network-packet-loss", "fault.loss", "its `lossPercent` is `ratio`" },
        { "ecs", "task-network-blackhole-port", "fault.blackhole", "its `port` is `port`" },
        { "eks", "pod-delete", "fault.kill", "its `gracePeriodSeconds` is `graceful`" },
        { "eks", "pod-cpu-stress", "fault.cpu", "its `percent` is `load`" },
        { "eks", "pod-memory-stress", "fault.memory", "its `percent` is `fill`" },
        { "eks", "pod-io-stress", "fault.disk_iops", "what is left to others" },
        { "eks", "pod-network-latency", "fault.latency",
            "its `delayMilliseconds` is `add`, its `jitterMilliseconds` a distribution, its "
            .. "`sources` the second target" },
        { "eks", "pod-network-packet-loss", "fault.loss", "its `lossPercent` is `ratio`" },
        { "eks", "pod-network-blackhole-port", "fault.blackhole", "its `port` is `port`" },
        { "eks", "terminate-nodegroup-instances", "fault.down",
            "its `instanceTerminationPercentage` is `pick`" },
        { "eks", "inject-kubernetes-custom-resource", nil, "the resource is a fault of Chaos Mesh "
            .. "or of Litmus: `lorenz explain chaos-mesh`, `lorenz explain litmus`" },
        { "rds", "failover-db-cluster", "fault.failover" },
        { "rds", "reboot-db-instances", "fault.reboot", "with `forceFailover`: fault.failover" },
        { "dsql", "cluster-connection-failure", "fault.reset",
            "of the database; its `percentage` is `ratio`" },
        { "ebs", "pause-volume-io", "fault.disk_freeze" },
        { "ebs", "volume-io-latency", "fault.disk_latency",
            "`add`, of a `ratio` of the `operations`" },
        { "dynamodb", "global-table-pause-replication", "fault.route_loss",
            "between the regions of a store, which cuts all that goes between them" },
        { "s3", "bucket-pause-replication", "fault.route_loss", "between the regions of a store" },
        { "elasticache", "replicationgroup-interrupt-az-power", "fault.down",
            "of the cache's nodes in a zone: fault.down { pages.node[1], ... }" },
        { "memorydb", "multi-region-cluster-pause-replication", nil,
            "a cache's nodes copy within one group: of a store in regions it is "
            .. "fault.route_loss between them" },
        { "kinesis", "stream-provisioned-throughput-exception", "fault.throttle",
            "of the broker" },
        { "kinesis", "inject-api-provisioned-throughput-exception", "fault.throttle",
            "of the broker" },
        { "kinesis", "stream-expired-iterator-exception inject-api-expired-iterator-exception",
            nil, "who reads keeps an offset, which does not run out; a reader that lost its place "
            .. "is fault.consumer_stall or fault.kill of the consumers" },
        { "lambda", "invocation-add-delay", "fault.http_delay",
            "its `invocationPercentage` is `ratio`, its `startupDelayMilliseconds` `add`" },
        { "lambda", "invocation-error", "fault.http_abort fault.http_replace",
            "without the work, or after it: its `preventExecution`" },
        { "lambda", "invocation-http-integration-response", "fault.http_replace fault.http_abort",
            "its `statusCode` is `status`; after the work, or without: its `preventExecution`" },
        { "network", "disrupt-connectivity", "fault.blackhole fault.partition fault.route_loss" },
        { "network", "route-table-disrupt-cross-region-connectivity", "fault.route_loss" },
        { "network", "transit-gateway-disrupt-cross-region-connectivity", "fault.route_loss" },
        { "network", "disrupt-vpc-endpoint", "fault.partition",
            "between who calls and the service behind the endpoint" },
        { "directconnect", "virtual-interface-disconnect", "fault.route_loss",
            "between a cloud and the other" },
        { "fis", "inject-api-throttle-error", "fault.throttle" },
        { "fis", "inject-api-internal-error inject-api-unavailable-error", "fault.http_abort",
            "its `percentage` is `ratio`" },
        { "arc", "start-zonal-autoshift", nil, "a recovery, not a fault: what shifts is said in "
            .. "drive, and fault.drain of a zone moves what runs there" },
        { "cloudwatch", "assert-alarm-state", "alert expect" },
        { "ssm", "AWSFIS-Run-CPU-Stress", "fault.cpu" },
        { "ssm", "AWSFIS-Run-Memory-Stress", "fault.memory" },
        { "ssm", "AWSFIS-Run-IO-Stress", "fault.disk_iops", "what is left to others" },
        { "ssm", "AWSFIS-Run-Disk-Fill", "fault.disk_full" },
        { "ssm", "AWSFIS-Run-Kill-Process", "fault.kill" },
        { "ssm", "AWSFIS-Run-Network-Latency AWSFIS-Run-Network-Latency-Sources",
            "fault.latency" },
        { "ssm", "AWSFIS-Run-Network-Packet-Loss AWSFIS-Run-Network-Packet-Loss-Sources",
            "fault.loss" },
        { "ssm", "AWSFIS-Run-Network-Blackhole-Port", "fault.blackhole" },
        { "ssm", "send-command start-automation-execution", "drive",
            "what the document does, in Lua beside the system" },
        { "scenarios", "az-power-interruption az-outage zone-outage", "fault.down",
            "of a zone: fault.down { region.zone.a, ... }" },
        { "terms", "stop-condition", "expect abort_when", "a live run is undone and ends" },
    } },
    { "other-tools", "Pumba, krkn, ChaosBlade, Chaos Monkey, Envoy", {
        { "Pumba", "pause", "fault.pause" },
        { "Pumba", "stop", "fault.stop" },
        { "Pumba", "kill", "fault.kill" },
        { "Pumba", "netem", "fault.latency fault.loss fault.duplicate fault.corrupt" },
        { "krkn", "control-plane", "fault.control_plane_down" },
        { "ChaosBlade", "process-stop", "fault.pause" },
        { "Chaos Monkey", "chaos-monkey", "fault.kill" },
        { "Simian Army", "latency-monkey", "fault.http_delay" },
        { "Simian Army", "chaos-gorilla", "fault.down", "of a zone" },
        { "Simian Army", "chaos-kong", "fault.down", "of a region" },
        { "Envoy, Istio", "fault-delay", "fault.http_delay" },
        { "Envoy, Istio", "fault-abort", "fault.http_abort fault.rpc_status" },
    } },
    { "simulators", "Jepsen, FoundationDB, TigerBeetle, Antithesis", {
        { "Jepsen", "nemesis", "chaos", "or a fault with `every`" },
        { "Jepsen", "partition-halves partition-majorities-ring partition-node", "fault.partition",
            "fault.partition { db.node[1], db.node[2], ... } between two, or of one alone" },
        { "Jepsen", "bump-clock bump strobe-clock", "fault.clock_step fault.clock_skew" },
        { "Jepsen", "hammer-time", "fault.pause" },
        { "Jepsen", "bitflip", "fault.disk_corrupt" },
        { "Jepsen", "truncate-file", "fault.torn_write fault.lost_write" },
        { "Jepsen", "generator client workload", "traffic" },
        { "Jepsen", "checker", "expect", "linearizable, serializable, set, counter, ..." },
        { "Jepsen", "register cas-register", "linearizable" },
        { "Jepsen", "list-append rw-register", "serializable" },
        { "Jepsen", "bank", "conserved" },
        { "Jepsen", "queue", "log_intact", "of a topic" },
        { "Jepsen", "elle", "serializable", "`consistency` asks for a weaker level" },
        { "Jepsen", "knossos", "linearizable" },
        { "Jepsen", "timeline", nil, "`lorenz report -o html=FILE`; the operations: "
            .. "`lorenz run -o history=FILE`, then `lorenz verify-history`" },
        { "FoundationDB", "attrition machine-attrition", "chaos",
            "with fault.kill in it; fault.reboot and fault.down take hosts, zones and regions" },
        { "FoundationDB", "knobs", "param", "each value is a case; none is drawn by the seed" },
        { "FoundationDB", "clogging clog swizzle swizzle-clog", "fault.latency fault.blackhole" },
        { "FoundationDB", "buggify", "chaos", "faults by chance; there is no code to mark" },
        { "FoundationDB", "swarm", "chaos",
            "and `lorenz sweep`, each seed of which draws another set" },
        { "FoundationDB", "unseed", nil,
            "the token of a run; `lorenz run --verify` compares two runs event by event" },
        { "TigerBeetle", "VOPR", nil, "`lorenz sweep`, then `lorenz shrink` and `lorenz why`" },
        { "TigerBeetle", "latent-sector-error", "fault.disk_corrupt fault.disk_error" },
        { "TigerBeetle", "misdirect", "fault.misdirected_write" },
        { "TigerBeetle", "liveness", "eventually",
            "after the last fault is over: `quiet` of a chaos leaves time for it" },
        { "TigerBeetle", "state-checker", "linearizable converges" },
        { "Antithesis", "reachable", "sometimes" },
        { "Antithesis", "unreachable", "never" },
    } },
}

-- Words that many use, and no tool alone.
M.common = {
    slow = "latency", delay = "latency", lag = "latency replication_lag", crash = "kill",
    drop = "loss", packet_loss = "loss", freeze = "pause", sigstop = "pause", sigkill = "kill",
    netsplit = "partition", network = "latency loss partition",
    network_chaos = "latency loss partition", network_delay = "latency", network_loss = "loss",
    network_latency = "latency", network_corrupt = "corrupt", network_duplicate = "duplicate",
    network_bandwidth = "bandwidth", network_partition = "partition", terminate = "kill",
    shutdown = "down", time_skew = "clock_skew", stress_cpu = "cpu", cpu_stress = "cpu",
    cpu_hog = "cpu", cpu_burn = "cpu", memory_stress = "memory", stress_memory = "memory",
    memory_hog = "memory", memory_leak = "memory", oom = "memory", stress = "cpu memory",
    burn = "cpu", outage = "down", region_outage = "down", power_loss = "down", poweroff = "down",
    io_error = "disk_error", io_stress = "disk_iops", io_delay = "disk_latency",
    disk_slow = "disk_latency", http_error = "http_abort", http_status = "http_abort",
    http_latency = "http_delay", error = "http_abort", errors = "http_abort", abort = "http_abort",
    dns_outage = "dns", dns_failure = "dns", ntp = "clock_step", clock = "clock_step clock_skew",
    traffic_spike = "surge", spike = "surge", load = "surge", restart = "kill reboot",
    rate_limit = "throttle", bitrot = "disk_corrupt", deploy = "bad_deploy", zone_down = "down",
}

-- Words of the top level that a scenario says otherwise.
M.top = {
    experiment = "scenario", steady_state = "expect", steady_state_hypothesis = "expect",
    hypothesis = "expect", action = "fault", method = "drive", rollbacks = "lasting",
    rollback = "lasting", nemesis = "chaos", checker = "expect", generator = "traffic",
    workload = "traffic", blast_radius = "pick",
    deployment = "service, or deployment of use \"kubernetes\"", statefulset = "service",
    pod = "service", pods = "service", node = "host", server = "service", client = "traffic",
    load = "traffic", queue = "topic", kafka = "broker", redis = "cache", postgres = "database",
    mysql = "database", loadbalancer = "balancer", load_balancer = "balancer", attack = "fault",
    inject = "fault", toxic = "fault", assertion = "expect", describe = "scenario",
}

--- A word as it is compared: pod-kill, pod_kill and PodKill are one.
function M.plain(word) return (tostring(word):lower():gsub("[^%w]", "")) end

local function each_word(words)
    return (words or ""):gmatch "%S+"
end

local function faults_of(ours, into)
    for topic in each_word(ours) do
        local kind = topic:match "^fault%.(.+)$"
        if kind and not into[kind] then
            into[kind] = true
            into[#into + 1] = kind
        end
    end
end

--- Whether a row of a tool is about a word: its own, its group's (podchaos), or both.
local function is_about(row, asked)
    local group = M.plain(row[1])
    if asked == group then return true end
    for word in each_word(row[2]) do
        local own = M.plain(word)
        if asked == own or asked == group .. own then return true end
    end
    return false
end

--- The rows about a word, as { tool, row }; aws:ebs:pause-volume-io is the group's and its own.
function M.find(word)
    local asked, found = M.plain((tostring(word):gsub("^aws:", ""))), {}
    for _, tool in ipairs(M.list) do
        for _, row in ipairs(tool[3]) do
            if is_about(row, asked) then found[#found + 1] = { tool[2], row } end
        end
    end
    return found
end

--- The kinds of fault that a word of other tools means here, the most common first; nil if it is
--- no such word. Empty, and a text instead, where there is none.
---@param word any
---@return string[]?, string?
function M.fault(word)
    if type(word) ~= "string" then return nil end
    local kinds, note, asked = {}, nil, M.plain(word)
    for common, ours in pairs(M.common) do
        if M.plain(common) == asked then
            for kind in each_word(ours) do kinds[#kinds + 1] = kind end
            return kinds
        end
    end
    for _, e in ipairs(M.find(word)) do
        faults_of(e[2][3], kinds)
        note = note or not e[2][3] and e[2][4] or nil
    end
    if #kinds > 0 then return kinds end
    return note and kinds, note
end

--- What other tools and many people call a fault, for its page; not what another is called here.
function M.of_fault(kind, kinds)
    local seen, list = {}, {}
    local function add(word)
        local key = M.plain(word)
        if not seen[key] and not kinds[word] and key ~= M.plain(kind) then
            seen[key] = true
            list[#list + 1] = word
        end
    end
    for _, tool in ipairs(M.list) do
        for _, row in ipairs(tool[3]) do
            local meant = {}
            faults_of(row[3], meant)
            if meant[kind] then
                for word in each_word(row[2]) do add(word) end
            end
        end
    end
    local common = {}
    for word in pairs(M.common) do common[#common + 1] = word end
    table.sort(common)
    for _, word in ipairs(common) do
        for topic in each_word(M.common[word]) do
            if topic == kind then add(word) end
        end
    end
    table.sort(list)
    return list
end

--- What a word of the top level is here; nil if it is no word of theirs.
function M.word(name) return M.top[name] end

return M
