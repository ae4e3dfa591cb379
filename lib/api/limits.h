/* SPDX-License-Identifier: MIT */
/*
 * Every limit on what comes from outside, in one place.  Sizes are bytes
 * unless the name says otherwise; times are nanoseconds.
 */
#ifndef SVM_API_LIMITS_H
#define SVM_API_LIMITS_H

#define KIB(n) ((n) * 1024)
#define MIB(n) ((n) * 1024 * 1024)
#define SECONDS(n) ((n) * INT64_C(1000000000))

/* HTTP: heads, bodies, connections (HTTP.md; RFC 9112). */
#define LIMIT_HTTP_HEAD KIB(16)
#define LIMIT_HTTP_TARGET KIB(8)
#define LIMIT_HTTP_HEADERS 64
#define LIMIT_HTTP_BODY_JSON MIB(1)
#define LIMIT_HTTP_BODY_EXEC MIB(16)
#define LIMIT_HTTP_BODY_FILE MIB(64)
#define LIMIT_HTTP_CONNECTIONS 4096
#define LIMIT_HTTP_OVER 64      /* connections more that get an answer */
#define LIMIT_HTTP_SSE 2048
#define LIMIT_HTTP_WS 256
#define LIMIT_HTTP_STREAMS 256
#define LIMIT_WS_MESSAGE MIB(1)
#define LIMIT_WS_PONGS 16       /* owed to who pings and does not read */
#define LIMIT_REQUEST_ID 128

#define LIMIT_PREVIEWS 512         /* requests to ports in sandboxes, at once */
#define LIMIT_PREVIEWS_SANDBOX 64  /* ... of one sandbox */
#define LIMIT_PREVIEW_INTERIM 16   /* 1xx answers before the real one */
#define LIMIT_TIME_PREVIEW_HEAD SECONDS(60) /* of an answer, after progress */
#define LIMIT_TIME_PREVIEW_BODY SECONDS(60) /* silence in one of known length */
#define LIMIT_TIME_TUNNEL_IDLE SECONDS(3600) /* and in one of unknown length */

/* Queued output: stop the source above HIGH, start it again below LOW. */
#define LIMIT_QUEUE_HIGH KIB(256)
#define LIMIT_QUEUE_LOW KIB(64)
#define LIMIT_QUEUE_SSE KIB(64)
#define LIMIT_TURN_BYTES KIB(64) /* per connection and loop turn */

#define LIMIT_TIME_FIRST_BYTE SECONDS(30)
#define LIMIT_TIME_HEAD SECONDS(10)
#define LIMIT_TIME_BODY SECONDS(30)
#define LIMIT_TIME_IDLE_TCP SECONDS(300)
#define LIMIT_TIME_IDLE_UNIX SECONDS(3600)
#define LIMIT_TIME_WRITE SECONDS(60)
#define LIMIT_TIME_KEEPALIVE SECONDS(5) /* silence on a stream */
/* More than that: the dashboard says that the daemon doesn't answer. */
#define LIMIT_TUI_SILENCE (LIMIT_TIME_KEEPALIVE + SECONDS(2))
#define LIMIT_TIME_WS_PONG SECONDS(10)
#define LIMIT_TIME_LINGER SECONDS(5) /* reading on after a last answer */
#define LIMIT_LINGER_BYTES MIB(64)   /* ... and no more than this */
#define LIMIT_TIME_SHUTDOWN SECONDS(10)
#define LIMIT_TIME_LAST_WORD SECONDS(1) /* to be read after that */

#define LIMIT_NOFILE_LEAST 64 /* files a daemon may open: about 20, and 8 a box */

/* Sandboxes. */
#define LIMIT_ID 11             /* "sb-" + 8 hex */
#define LIMIT_NAME 63
#define LIMIT_OWNER 128
#define LIMIT_METADATA_KEYS 64
#define LIMIT_METADATA_KEY 128
#define LIMIT_METADATA_VALUE KIB(4)
#define LIMIT_ENV_VARS 512
#define LIMIT_ENV_BYTES KIB(128)
#define LIMIT_IMAGE_REF 512
#define LIMIT_IMAGE_TAG 128
#define LIMIT_MEMORY_MB (1024 * 1024)
#define LIMIT_DISK_MB (1024 * 1024)
#define LIMIT_VCPUS 512
#define LIMIT_NETWORK_ALLOW 256 /* names a sandbox may reach */
#define LIMIT_PIDS 32768
#define LIMIT_SPARES 8          /* boxes made ahead */
#define LIMIT_SANDBOXES 10000   /* the daemon's own, whatever is configured */
#define LIMIT_TEMPLATE_NAME 64
#define LIMIT_TEMPLATES 1000    /* everybody's; those of owners together */
#define LIMIT_TEMPLATES_OWNER 100 /* of one owner */
#define LIMIT_SETUP_COMMANDS 64
#define LIMIT_SETUP_TAIL KIB(2) /* of a failed command's output, shown */
#define LIMIT_TIME_SETUP SECONDS(600)  /* one command */
#define LIMIT_POOL_SIZE 100     /* warm copies of one template */
#define LIMIT_TIME_WARM SECONDS(86400) /* then a copy is made anew */
#define LIMIT_TOMBSTONES 1000   /* destroyed sandboxes remembered */

/* Exec. */
#define LIMIT_ARGS 4096
#define LIMIT_ARG_BYTES KIB(128) /* MAX_ARG_STRLEN of Linux */
#define LIMIT_EXEC_OUTPUT MIB(8) /* kept of each stream of a plain exec */
#define LIMIT_EXEC_CHUNK KIB(16)
#define LIMIT_COMMAND_SHOWN 256  /* bytes of it in events and lists */
#define LIMIT_EXEC_WORDS 4       /* of one socket: signals, sizes on their way */
#define LIMIT_SESSION_ID 32
#define LIMIT_TTY_SIZE 1000      /* columns or rows */

/* The channel to an agent, and the agent itself. */
#define LIMIT_FRAME KIB(64)
#define LIMIT_AGENT_REQUEST MIB(1)  /* a request of several frames */
#define LIMIT_AGENT_REQUESTS MIB(8) /* of all connections, not yet whole */
#define LIMIT_AGENT_ERROR KIB(1)    /* of its words, shown */
#define LIMIT_AGENT_OPS 256         /* connections at once */
#define LIMIT_AGENT_SESSIONS 64     /* running or remembered */
#define LIMIT_AGENT_RING KIB(256)   /* scrollback of one session */
#define LIMIT_AGENT_QUEUE KIB(256)  /* unsent output of one connection */
#define LIMIT_AGENT_OWED MIB(1)     /* read of a terminal whose command ended:
				     * a background job may write for ever */
/* Where commands have the agent's uid they can stop what works for it.  It is
 * continued this often, then killed: who waits for it is not kept waiting. */
#define LIMIT_AGENT_STOPS 16
#define LIMIT_TIME_CANCEL SECONDS(2)   /* TERM, then KILL */
#define LIMIT_TIME_AGENT_REPLY SECONDS(10)
#define LIMIT_TIME_TTL_GRACE SECONDS(5) /* the agent's deadline after ours */

/* Files. */
#define LIMIT_PATH 4096
#define LIMIT_FILE_UNSIZED MIB(1) /* of one that says it has no bytes: procfs */
#define LIMIT_LIST_ENTRIES 10000
#define LIMIT_GLOB_RESULTS 10000
#define LIMIT_GLOB_VISITED 200000
#define LIMIT_TREE_DEPTH 512
#define LIMIT_OMITTED_PATH 512 /* bytes of it, where an archive lacks it */
#define LIMIT_TIME_FILE_OP SECONDS(60)

/* Events and logs. */
#define LIMIT_EVENTS_KEPT 10000
#define LIMIT_LOG_RING MIB(1)       /* one sandbox's log file */
#define LIMIT_LOG_LINES 10000
#define LIMIT_LOG_PARTS 16          /* unfinished lines of one sandbox */
#define LIMIT_LOG_LINE KIB(16)      /* a longer one is cut into several */
#define LIMIT_EVENTS_NEWEST 1024    /* kept in memory until it is quiet */
#define LIMIT_EVENTS_NEWEST_BYTES KIB(256) /* ... and no more than this */
#define LIMIT_FAILURE_EVENTS 60     /* of each type per minute */

/* Audit. */
#define LIMIT_AUDIT_TARGET 512      /* bytes of a command, path or name */
#define LIMIT_AUDIT_REFUSED 120     /* refused calls recorded per minute */
#define LIMIT_AUDIT_LIST 10000      /* records of one JSON array */

/* Callers. */
#define LIMIT_BUCKETS 4096          /* callers with a bucket at once */
#define LIMIT_AUTH_FAILURES 100     /* wrong keys of a peer in a row, then */
#define LIMIT_TIME_AUTH_FAILURE SECONDS(1) /* one in this time */
#define LIMIT_QUOTAS 10000

/* Configuration. */
#define LIMIT_CONFIG_FILE KIB(64)
#define LIMIT_CONFIG_DEPTH 8
#define LIMIT_CONFIG_KEYS 1000
#define LIMIT_CONFIG_NAME 128       /* bytes of a key of one section */
#define LIMIT_CONFIG_VALUE KIB(4)
#define LIMIT_CONFIG_LIST 64
#define LIMIT_CONFIG_PROBLEMS 20    /* told at once */

/* Images. */
#define LIMIT_IMAGE_LAYERS 128
#define LIMIT_IMAGE_JSON MIB(4)
#define LIMIT_IMAGE_ENTRIES 2000000
#define LIMIT_IMAGE_BYTES (INT64_C(64) * 1024 * 1024 * 1024)
#define LIMIT_IMAGE_DOCUMENTS 1024      /* JSON files kept of one archive */
#define LIMIT_IMAGE_RATIO 200           /* decompressed : compressed, past */
#define LIMIT_IMAGE_RATIO_FLOOR MIB(1024) /* this many decompressed bytes */
#define LIMIT_IMAGE_WORKER_MEMORY MIB(1024)
#define LIMIT_IMAGE_IMPORTS 8           /* at once */
#define LIMIT_TIME_IMAGE_CPU SECONDS(3600)

/* Registries. */
#define LIMIT_REGISTRY_HEAD KIB(64)     /* headers of one reply */
#define LIMIT_REGISTRY_TOKEN KIB(256)
#define LIMIT_REGISTRY_HOPS 5           /* redirects of one request */
#define LIMIT_REGISTRY_LOGINS 2         /* 401s answered in one request */
#define LIMIT_REGISTRY_PARALLEL 3       /* layers at once */
#define LIMIT_REGISTRY_RETRIES 8        /* of one blob, each having moved */
#define LIMIT_REGISTRY_SPEED 512        /* bytes/s, or it counts as silent */
#define LIMIT_REGISTRY_SERVERS 16       /* a registry and its mirrors */
#define LIMIT_DOCKER_CONFIG MIB(1)
#define LIMIT_IMAGE_PULLS 8             /* at once */
#define LIMIT_IMAGE_KEPT (INT64_C(8) * 1024 * 1024 * 1024) /* of broken pulls */
#define LIMIT_TIME_IMAGE_KEPT SECONDS(86400)
#define LIMIT_TIME_IMAGE_EVENT SECONDS(2) /* between those of one pull */
#define LIMIT_TIME_REGISTRY SECONDS(60) /* one small document */

/* What a client takes from a daemon. */
#define LIMIT_CLIENT_INTERIM 16  /* heads (1xx) before the one of a reply */
#define LIMIT_CLIENT_ERROR KIB(64)      /* of an answer that is an error */
#define LIMIT_CLIENT_REPLY MIB(64)      /* one that is kept whole */
#define LIMIT_CLIENT_LINE MIB(4)        /* of a stream */
#define LIMIT_CLIENT_ETAG 128

/* The command line. */
#define LIMIT_EDIT MIB(1) /* a text in the user's editor */
#define LIMIT_COMPLETIONS 2000          /* candidates for one word */
#define LIMIT_CONFIRM_NAME 255 /* that is typed to agree: a file's, at most */
#define LIMIT_CONSOLE_LINE KIB(64)
#define LIMIT_CONSOLE_HISTORY 1000      /* lines kept */
#define LIMIT_CONSOLE_KEPT KIB(4)       /* a longer line is not */

/* The emulator of the dashboard's terminals. */
#define LIMIT_EMU_ROWS 500
#define LIMIT_EMU_COLS 1000
#define LIMIT_EMU_TITLE 256
#define LIMIT_EMU_REPLY KIB(4)
#define LIMIT_REPLAY_SEQUENCE 512 /* bytes; longer ones aren't replayed */
#define LIMIT_EMU_HISTORY_LINES 100000
#define LIMIT_EMU_HISTORY_BYTES MIB(16)

/* Files that several of our programs change, under flock(2): how long each
 * waits for who has it. */
#define LIMIT_LOCK_MS 500

/* How long a signal that is to end a program may wait to be read. */
#define LIMIT_UNHEARD_MS 3000

/* The dashboard. */
#define LIMIT_TUI_COMMANDS 2        /* of the user's own at once */
#define LIMIT_TUI_OUTPUT KIB(256)   /* of one, kept */
#define LIMIT_TUI_EARLY_KEYS 256    /* typed before a terminal is there */
#define LIMIT_TUI_MESSAGES 50       /* of the footer, kept */
#define LIMIT_TUI_VIEWS 32          /* with a name */
#define LIMIT_TUI_VIEW_NAME 64      /* bytes */
#define LIMIT_TUI_VIEWS_FILE KIB(512) /* all of them */
#define LIMIT_TUI_FOLDS 32          /* groups of one, kept folded */
#define LIMIT_TUI_FOLD_NAME 128     /* bytes, of each */
#define LIMIT_TUI_THEMES 24         /* files that are offered */
#define LIMIT_TUI_UNDO 32           /* changes of the configuration */
#define LIMIT_TUI_FIELD KIB(4)    /* a line being typed */
#define LIMIT_TUI_PAST 100        /* lines typed before, of each kind */
#define LIMIT_TUI_PAST_LINE 1000  /* bytes; a longer one isn't kept */
#define LIMIT_TUI_PAST_FILE MIB(8) /* all of them */
#define LIMIT_TUI_REPLY MIB(8)    /* of the daemon, in memory */
#define LIMIT_TUI_LINE MIB(1)     /* of a stream */
#define LIMIT_TUI_TYPED MIB(1)    /* for a terminal, not sent yet */
#define LIMIT_TUI_WAITING KIB(4)  /* of that, while it reconnects */
#define LIMIT_TUI_EDIT MIB(4)     /* of a text being edited */
#define LIMIT_TUI_DRAFTS 32       /* of texts that were not saved */
#define LIMIT_TUI_EDIT_UNDO MIB(8) /* of its changes */
#define LIMIT_TUI_SCROLLBACK MIB(8) /* of a terminal */
#define LIMIT_TUI_LINES 5000     /* of logs and events, kept */
#define LIMIT_TUI_LINE_KEPT KIB(16) /* of each */
#define LIMIT_TUI_LOOK_PAGES 20  /* of logs, at a time, for what a filter shows */
#define LIMIT_TUI_TREE_DIRS 256  /* directories of a sandbox, looked into */
#define LIMIT_TUI_TREE_ENTRIES 20000 /* ... and what they hold, in all */
#define LIMIT_TUI_CLIPBOARD KIB(74) /* what OSC 52 takes in xterm */

#endif
