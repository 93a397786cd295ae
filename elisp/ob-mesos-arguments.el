;;; ob-mesos-arguments.el --- Table of header arguments  -*- lexical-binding: t; -*-

;; Copyright (C) 2026 The ob-mesos contributors
;; SPDX-License-Identifier: GPL-3.0-or-later

;;; Commentary:

;; The table of header arguments.  It is generated from the server's own
;; table, HeaderArgumentTable.java: do not edit it here.

;;; Code:

(defconst ob-mesos--arguments
  '((master nil any nil
     "cluster to run on: local, host:port, http(s)://host:port, zk://...")
    (cpus (cpu) (number above 0) :cpus
     "number of cpus, can be a fraction")
    (mem nil memory :mem
     "memory in MiB, or with a unit: 512M; 1G..8G: doubled up to 8G after a kill for memory")
    (disk nil size :disk
     "disk in MiB, or with a unit")
    (gpus nil (whole 0 10000) :gpus
     "number of GPUs")
    (lang nil any nil
     "language of the body; sh by default")
    (env nil environment :environment
     "environment variables: NAME=VALUE words; a list of strings if values have spaces")
    (priority nil (whole -1000 1000) :priority
     "place in the queue, from -1000 to 1000; higher goes first")
    (kill-grace nil (number from 0) :killGrace
     "seconds between SIGTERM and SIGKILL; 3 by default")
    (timeout nil (number above 0) :timeout
     "seconds after which the task is killed")
    (attempts nil (whole 1 1000) :attempts
     "largest number of runs until one succeeds; 1 by default")
    (backoff nil (number from 0) :backoff
     "seconds between two runs, doubled each time up to a minute; 1 by default")
    (keep nil time :keep
     "time for which the container of a failed task is kept: 90 (seconds), 30m, 2h, 1d")
    (ensure nil (one-of "it-finishes" "it-keeps-running") :ensure
     "it-finishes: run until it succeeds; it-keeps-running: run again whenever it ends")
    (executor nil (one-of "auto" "own" "shared") :executor
     "own, or shared with other small tasks on the agent; auto by default")
    (health nil health :health
     "cmd COMMAND, http [PORT]/PATH or tcp [PORT]; killed after three failures in a row")
    (agent nil word :agent
     "host name of the agent to run on")
    (constraints nil constraints :constraints
     "placement constraints: hostname:UNIQUE, rack:LIKE:a.*, zone:GROUP_BY ...")
    (role nil word :role
     "role whose resources the task uses")
    (ports nil ports :ports
     "number of ports, or their names; the variables are PORT0, PORT_WEB ...")
    (uris nil uris :uris
     "files the agent fetches; +extract, +executable, +cache, +as=NAME")
    (user nil word :user
     "user who runs the task on the agent")
    (secret nil secrets :secrets
     "NAME=HOST or NAME=USER@HOST: a variable with a value from auth-source")
    (image (dockerimage) word (:container :image)
     "image of the container")
    (dockerize nil (flag "docker") (:container :containerizer)
     "t: the same as containerizer docker")
    (containerizer nil (one-of "docker" "mesos") (:container :containerizer)
     "containerizer of the agent: docker (the default) or mesos")
    (network nil word (:container :network)
     "network of the container: host, bridge or a name; bridge with expose, else host")
    (expose nil expose (:container :expose)
     "HOST-PORT:CONTAINER-PORT words; a number alone is mapped to an offered port")
    (volumes nil volumes (:container :volumes)
     "PATH:CONTAINER-PATH words, read-only with :ro; PATH is on the host, or in the sandbox")
    (privileged nil (flag t) (:container :privileged)
     "yes: the container has all capabilities of root")
    (pull nil (one-of "always" "missing") (:container :pull)
     "always: pull the image even if it is present")
    (entrypoint nil (flag t) (:container :entrypoint)
     "yes: an empty block runs the image's command")
    (after (requires) any nil
     "names of blocks that must finish first")
    (instances nil (whole 1 10000) nil
     "number of copies to run; each has OB_MESOS_INDEX, OB_MESOS_COUNT")
    (limit nil (whole 1 10000) :limit
     "largest number of copies that run at once; all by default")
    (cache nil (one-of "yes" "no") :reuse
     "yes: reuse the result of an earlier run if no input has changed")
    (provenance nil (one-of "yes" "no") nil
     "yes: insert a drawer with the task, agent, times and key below the result")
    (foreach nil any nil
     "NAME=LIST, TABLE or BLOCK: a task for each element")
    (files nil any nil
     "names of local files to send with the block")
    (fetch nil any nil
     "names of the task's files to copy into the document's directory")
    (stdin nil any nil
     "block or table whose value is standard input; interactive: see `ob-mesos-send'")
    (cmdline nil any nil
     "command line arguments, quoted as for a shell")
    (shebang nil any nil
     "first line of the body, which is then run as a program")
    (mesos nil (one-of "yes" "no") nil
     "yes: run on the cluster, in any language; see `ob-mesos-global-mode'")
    (wait nil (one-of "yes" "no") nil
     "yes: wait for the result")
    (tail nil (whole 0 100) :tailLines
     "number of last lines to show while it runs; 10 by default"))
  "The header arguments: name, synonyms, type, field of a block, meaning.
The field is the name of the value in the server's message, or the names
of an object and of the value in it; nil if Emacs uses it itself.  The
types are those of `ob-mesos--parse-value'.")

(provide 'ob-mesos-arguments)
;;; ob-mesos-arguments.el ends here
