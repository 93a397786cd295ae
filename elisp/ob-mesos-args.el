;;; ob-mesos-args.el --- Header arguments  -*- lexical-binding: t; -*-

;; Copyright (C) 2026 The ob-mesos contributors
;; SPDX-License-Identifier: GPL-3.0-or-later

;;; Commentary:

;; Checks what a block asks for, and says what is wrong with it before
;; anything is launched.


;;; Code:

(require 'cl-lib)
(require 'ob-mesos-rpc)

(defcustom ob-mesos-cpus 0.1
  "Cpus for a block that does not say."
  :type 'number
  :group 'ob-mesos)

(defcustom ob-mesos-mem 128
  "Memory in MiB for a block that does not say."
  :type 'number
  :group 'ob-mesos)

(defconst ob-mesos--header-arguments
  '((master . "where it runs: local, host:port, http(s)://host:port, zk://...")
    (cpus . "cpus, a number") (cpu . "the same")
    (mem . "memory in MiB, or with a unit: 512M, 2G")
    (disk . "disk in MiB, or with a unit")
    (gpus . "GPUs, a whole number")
    (lang . "language of the body; sh if not given")
    (env . "environment: NAME=VALUE words")
    (priority . "place in the queue, from -1000 to 1000; higher goes first")
    (kill-grace . "seconds between TERM and KILL; 3 if not given")
    (timeout . "seconds after which the task is ended")
    (attempts . "how often it may run until it succeeds; 1 if not given")
    (agent . "name of the host it must run on")
    (after . "names of blocks that must have finished") (requires . "the same")
    (instances . "how many copies to run; each has OB_MESOS_INDEX, OB_MESOS_COUNT")
    (foreach . "NAME=LIST, TABLE or BLOCK: a task for each element")
    (files . "names of files to send along")
    (fetch . "names of files of the task to bring into the document's directory")
    (stdin . "the block or table whose value is the input")
    (cmdline . "arguments, as a shell has them")
    (shebang . "first line of the body, which is then run by itself")
    (mesos . "yes: on the cluster, in any language; see `ob-mesos-mode'")
    (wait . "yes to wait for the result")
    (tail . "last lines to show while it runs; 10 if not given"))
  "Our header arguments and what each means.")

(defconst ob-mesos--later-arguments
  '(:ports :image :dockerimage :dockerize :containerizer :network
    :expose :volumes :privileged :pull :uris :user
    :constraints :role :ensure)
  "Header arguments that mean something which is not there yet.")

;;;; Values

(defun ob-mesos--bad (name value allowed)
  "Signal that header argument NAME cannot be VALUE, but must be ALLOWED."
  (user-error "`:%s' cannot be %S: it is %s" name value allowed))

(defun ob-mesos--number (name value allowed &optional least)
  "VALUE of header argument NAME as a number above 0, or from LEAST on.
ALLOWED says what it may be."
  (let ((number (cond ((numberp value) value)
                      ((and (stringp value)
                            (string-match-p "\\`-?[0-9]+\\(?:\\.[0-9]+\\)?\\'"
                                            value))
                       (string-to-number value)))))
    (if (and number (< number 1e9) (if least (>= number least) (> number 0)))
        number
      (ob-mesos--bad name value allowed))))

(defun ob-mesos--whole (name value least most)
  "VALUE of header argument NAME as a whole number from LEAST to MOST."
  (if (and (integerp value) (<= least value most))
      value
    (ob-mesos--bad name value
                   (format "a whole number from %d to %d" least most))))

(defun ob-mesos--size (name value)
  "VALUE of header argument NAME as a number of MiB."
  (if (and (stringp value)
           (let ((case-fold-search t))
             (string-match "\\`\\([0-9]+\\(?:\\.[0-9]+\\)?\\) ?\\([kmgt]\\)i?b?\\'"
                           value)))
      (ob-mesos--number
       name
       (* (string-to-number (match-string 1 value))
          (pcase (downcase (match-string 2 value))
            ("k" (/ 1.0 1024)) ("m" 1) ("g" 1024) ("t" (* 1024 1024))))
       "a size in MiB, or with a unit: 512M, 2G")
    (ob-mesos--number name value "a size in MiB, or with a unit: 512M, 2G")))

(defun ob-mesos--environment (value)
  "VALUE of `:env' as a hash table."
  (let ((table (make-hash-table :test #'equal)))
    (dolist (word (if (listp value) value (split-string-and-unquote
                                           (format "%s" value))))
      (if (and (stringp word)
               (string-match "\\`\\([A-Za-z_][A-Za-z0-9_]*\\)=\\(\\(?:.\\|\n\\)*\\)\\'"
                             word))
          (puthash (match-string 1 word) (match-string 2 word) table)
        (ob-mesos--bad "env" word "NAME=VALUE")))
    table))

(defun ob-mesos--resources (params)
  "What PARAMS ask of the cluster, as a part of a block for the server."
  (dolist (argument ob-mesos--later-arguments)
    (when (assq argument params)
      (user-error "`%s' cannot be used in this version" argument)))
  (let ((get (lambda (&rest names)
               (cl-some (lambda (name) (cdr (assq name params))) names))))
    (append
     (list :cpus (ob-mesos--number "cpus" (or (funcall get :cpus :cpu)
                                              ob-mesos-cpus)
                                   "a number above 0")
           :mem (ob-mesos--size "mem" (or (funcall get :mem) ob-mesos-mem)))
     (when-let ((value (funcall get :disk)))
       (list :disk (ob-mesos--size "disk" value)))
     (when-let ((value (funcall get :gpus)))
       (list :gpus (ob-mesos--whole "gpus" value 0 10000)))
     (when-let ((value (funcall get :priority)))
       (list :priority (ob-mesos--whole "priority" value -1000 1000)))
     (when-let ((value (funcall get :attempts)))
       (list :attempts (ob-mesos--whole "attempts" value 1 1000)))
     (when-let ((value (funcall get :kill-grace)))
       (list :killGrace (ob-mesos--number "kill-grace" value
                                          "a number of seconds" 0)))
     (when-let ((value (funcall get :timeout)))
       (list :timeout (ob-mesos--number "timeout" value
                                        "a number of seconds above 0")))
     (when-let ((value (funcall get :tail)))
       (list :tailLines (ob-mesos--whole "tail" value 0 100)))
     (when-let ((value (funcall get :agent)))
       (list :agent (format "%s" value)))
     (when-let ((value (funcall get :env)))
       (list :environment (ob-mesos--environment value))))))

(provide 'ob-mesos-args)
;;; ob-mesos-args.el ends here
