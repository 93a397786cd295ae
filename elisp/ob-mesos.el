;;; ob-mesos.el --- Org source blocks on a Mesos cluster  -*- lexical-binding: t; -*-

;; Copyright (C) 2026 The ob-mesos contributors
;; SPDX-License-Identifier: GPL-3.0-or-later

;; Author: The ob-mesos contributors
;; Version: 0.1.0
;; Package-Requires: ((emacs "28.1"))
;; Keywords: literate programming, processes, tools
;; URL: https://www.gnu.org/software/emacs/

;;; Commentary:

;; An Org Babel language, `mesos'.  C-c C-c on a block hands it to a server
;; that runs it as a task of a cluster; the embedded one-machine cluster if
;; no other is named.  Emacs goes on at once; the last lines of output and
;; then the result appear under #+RESULTS:.
;;
;;   #+begin_src mesos :cpus 0.5 :mem 64 :lang python
;;   print("hello")
;;   #+end_src

;;; Code:

(require 'cl-lib)
(require 'org)
(require 'org-element)
(require 'ob)
(require 'ob-mesos-rpc)
(require 'ob-mesos-task)
(require 'ob-mesos-result)
(require 'ob-mesos-lang)
(require 'ob-mesos-flow)
(require 'ob-mesos-group)
(require 'ob-mesos-list)

(defcustom ob-mesos-cpus 0.1
  "Cpus for a block that does not say."
  :type 'number
  :group 'ob-mesos)

(defcustom ob-mesos-mem 128
  "Memory in MiB for a block that does not say."
  :type 'number
  :group 'ob-mesos)

(defcustom ob-mesos-on-exit 'ask
  "What becomes of running tasks when Emacs ends."
  :type '(choice (const :tag "Ask" ask)
                 (const :tag "They go on" keep)
                 (const :tag "They are killed" kill))
  :group 'ob-mesos)

(defvar org-babel-default-header-args:mesos
  '((:results . "output") (:mesos . ob-mesos--entered))
  "Default header arguments of mesos blocks.")

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
    (after . "names of blocks that must have finished") (requires . "the same")
    (instances . "how many copies to run; each has OB_MESOS_INDEX, OB_MESOS_COUNT")
    (foreach . "NAME=LIST, TABLE or BLOCK: a task for each element")
    (files . "names of files to send along")
    (stdin . "the block or table whose value is the input")
    (cmdline . "arguments, as a shell has them")
    (shebang . "first line of the body, which is then run by itself")
    (mesos . "yes: on the cluster, in any language; see `ob-mesos-mode'")
    (wait . "yes to wait for the result")
    (tail . "last lines to show while it runs; 10 if not given"))
  "Our header arguments and what each means.")

(defconst ob-mesos--later-arguments
  '(:ports :image :dockerimage :dockerize :containerizer :network
    :expose :volumes :privileged :pull :uris :fetch :user
    :constraints :agent :role :ensure)
  "Header arguments that mean something which is not there yet.")

(defvar org-babel-header-args:mesos
  (mapcar (lambda (argument) (cons (car argument) :any))
          ob-mesos--header-arguments)
  "Header arguments of mesos blocks, for completion and `org-lint'.")

(add-to-list 'org-src-lang-modes '("mesos" . sh))

;;;; Header arguments

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
     (when-let ((value (funcall get :env)))
       (list :environment (ob-mesos--environment value))))))

;;;; Submitting

(defvar ob-mesos--collect nil
  "While blocks are collected for one request, called with new tasks.")

(defun ob-mesos--new-id (name)
  "A new id for a block with NAME, or without."
  (let ((letters "abcdefghijklmnopqrstuvwxyz234567"))
    (concat (if (and name (not (string-empty-p name)))
                (replace-regexp-in-string
                 "\\`[.]+" "_"
                 (replace-regexp-in-string
                  "[^A-Za-z0-9._-]" "_"
                  (truncate-string-to-width name 60)))
              "block")
            "-"
            (apply #'string
                   (cl-loop repeat 10 collect (aref letters (random 32)))))))

(defvar ob-mesos--master-above-all nil
  "The master given on the command line, which no document overrides.")

(defun ob-mesos--master (params)
  "Where a block with PARAMS is to run."
  (let ((master (or ob-mesos--master-above-all
                    (cdr (assq :master params))
                    (ob-mesos--document-master))))
    (unless (and (stringp master)
                 (let ((one "\\(?:https?://\\)?\\(?:[A-Za-z0-9._-]+\\|\\[[0-9a-fA-F:.]+\\]\\)\\(?::[0-9]+\\)?/?"))
                   (string-match-p
                    (concat "\\`\\(?:zk://[^ \t\n/]+/[^ \t\n]+\\|"
                            one "\\(?:," one "\\)*\\)\\'")
                    master)))
      (ob-mesos--bad "master" master
                     "local, host:port, http(s)://host:port or zk://host:port/path"))
    master))

(defconst ob-mesos--about-results
  '(:results :result-params :result-type :exports :file :file-desc :file-ext
    :output-dir :post :wrap :sep :cache :eval :noweb :tangle :comments)
  "Header arguments that have no influence on what runs.")

(defun ob-mesos--key (lang body params name)
  "A text of its own for a block NAME of LANG with BODY and PARAMS."
  (secure-hash
   'sha1 (prin1-to-string
          (list lang body name
                (cl-remove-if (lambda (argument)
                                (memq (car argument) ob-mesos--about-results))
                              params)))))

(defun ob-mesos--task (lang body params name)
  "Make a task of BODY, of the language LANG, with PARAMS for the block NAME.
It is a group if PARAMS say so."
  (when (string-blank-p body)
    (user-error "The block is empty"))
  (unless (member (cdr (assq :session params)) '(nil "none"))
    (user-error "A block on a cluster has no session"))
  (let* ((id (ob-mesos--new-id name))
         (dir (cdr (assq :dir params)))
         (file (buffer-file-name (buffer-base-buffer)))
         (task (ob-mesos-task--make
                :id id :lang lang :source body :params params
                :master (ob-mesos--master params)
                :key (and name (ob-mesos--key lang body params name))
                :directory (if file (file-name-directory file) default-directory)
                :needs (append (delq nil (mapcar #'ob-mesos--named-task
                                                 (ob-mesos--after-names params)))
                               (mapcar #'cadr (ob-mesos--promised-vars params)))
                :block (append
                        (list :id id :name (or name "") :document (or file "")
                              :directory (if (stringp dir) dir ""))
                        (ob-mesos--resources params)))))
    (if (ob-mesos--fan-out-p params)
        (ob-mesos--prepare-group task body)
      (ob-mesos--prepare task body))
    task))

(defun ob-mesos--fill (task body params)
  "Give TASK its program: BODY with PARAMS, all values in them."
  (setf (ob-mesos-task-params task) params)
  (let* ((program (ob-mesos--program (ob-mesos-task-lang task) body params))
         (text (ob-mesos--program-body program)))
    (when (> (string-bytes text) 1048576)
      (user-error "The block has %d bytes; 1048576 can be passed"
                  (string-bytes text)))
    (setf (ob-mesos-task-block task)
          (append (list :interpreter (vconcat (ob-mesos--program-interpreter
                                               program))
                        :body (ob-mesos--valid text))
                  (ob-mesos-task-block task)))))

(defun ob-mesos--valid (text)
  "TEXT, multibyte, with bytes that are no characters as such."
  (decode-coding-string (encode-coding-string text 'utf-8-emacs t)
                        'utf-8-emacs t))

(defun ob-mesos--must-wait-p (task)
  "Whether TASK cannot have its program yet."
  (or (ob-mesos-task-waits task)
      (cl-some (lambda (promised) (not (ob-mesos-task-done (cadr promised))))
               (ob-mesos--promised-vars (ob-mesos-task-params task)))))

(defun ob-mesos--prepare (task body)
  "Give TASK, which is for BODY, its program, or have that done later."
  (let ((params (ob-mesos-task-params task)))
    (ob-mesos--note-needs task)
    (if (ob-mesos--must-wait-p task)
        (let ((later (copy-sequence (ob-mesos-task-block task))))
          (setf (ob-mesos-task-block task)
                (append '(:bodyLater t) (ob-mesos-task-block task))
                (ob-mesos-task-draft task)
                (lambda ()
                  (setf (ob-mesos-task-block task) later)
                  (ob-mesos--fill task body (ob-mesos--keep-promises params))
                  (ob-mesos--submit (list task)))))
      (ob-mesos--fill task body (ob-mesos--keep-promises params)))))

(defun ob-mesos--prepare-group (group body)
  "Make the members of GROUP, which is for BODY, now or when it can be done."
  (let* ((params (ob-mesos-task-params group))
         (foreach (and (assq :foreach params) (ob-mesos--foreach params)))
         (promise (and foreach (ob-mesos--promised (cdr foreach))))
         (make
          (lambda ()
            (when promise
              (setcdr foreach (ob-mesos--promised-value promise)))
            (let ((params (ob-mesos--keep-promises params)))
              (ob-mesos--make-members
               group
               (lambda (id vars environment)
                 (ob-mesos--member group body params id vars environment))
               (ob-mesos--elements params foreach))))))
    (when (and (assq :instances params) foreach)
      (user-error "`:instances' and `:foreach' cannot be used together"))
    (when promise
      (push (car promise) (ob-mesos-task-needs group)))
    (ob-mesos--note-needs group)
    (if (or (ob-mesos--must-wait-p group)
            (and promise (not (ob-mesos-task-done (car promise)))))
        (setf (ob-mesos-task-local group) t
              (ob-mesos-task-waits group) t
              (ob-mesos-task-data group)
              (list :state "QUEUED" :message "waits for its values")
              (ob-mesos-task-draft group)
              (lambda ()
                (funcall make)
                (ob-mesos--launch group)))
      (funcall make))))

(defun ob-mesos--member (group body params id vars environment)
  "Make the member ID of GROUP, which is for BODY with PARAMS and VARS.
ENVIRONMENT is an alist of more variables for its environment."
  (let* ((block (plist-put (copy-sequence (ob-mesos-task-block group)) :id id))
         (table (copy-hash-table (or (plist-get block :environment)
                                     (make-hash-table :test #'equal))))
         (member (ob-mesos-task--make
                  :id id :lang (ob-mesos-task-lang group) :source body
                  :master (ob-mesos-task-master group)
                  :directory (ob-mesos-task-directory group)
                  :params params)))
    (pcase-dolist (`(,name . ,value) environment)
      (puthash name (format "%s" value) table))
    (setf (ob-mesos-task-block member) (plist-put block :environment table))
    (ob-mesos--fill member body
                    (append (mapcar (lambda (var) (cons :var var)) vars)
                            params))
    member))

(defun ob-mesos--register (task)
  "Know TASK from now on."
  (puthash (ob-mesos-task-id task) task ob-mesos--tasks)
  (when (ob-mesos-task-draft task)
    (push task ob-mesos--drafts)))

(defun ob-mesos--launch (task)
  "Send TASK to the server, or keep it for the request that collects."
  (let ((tasks (cond ((ob-mesos-task-members task))
                     ((ob-mesos-task-local task) nil)
                     (t (list task))))
        (failed (cl-find-if #'ob-mesos-task-failed-p (ob-mesos-task-needs task))))
    (unless (gethash (ob-mesos-task-id task) ob-mesos--tasks)
      (ob-mesos--register task)
      (setq ob-mesos--launched task))
    (mapc #'ob-mesos--register (ob-mesos-task-members task))
    (cond
     (failed
      (ob-mesos--refused task (format "The task needs %s, which is %s"
                                      (ob-mesos-task-id failed)
                                      (ob-mesos-task-state failed))))
     (ob-mesos--collect (funcall ob-mesos--collect tasks))
     (t (ob-mesos--submit tasks)))
    (ob-mesos--update-mode-line)))

(defun ob-mesos--hash (body params)
  "The hash of BODY with PARAMS if `:cache' wants one."
  (when (equal (cdr (assq :cache params)) "yes")
    (org-babel-sha1-hash (list "mesos" body (copy-tree params)) :eval)))

(defun ob-mesos--leave-to-us (params)
  "Keep Org from inserting something for a block with PARAMS.
Org goes on, after we return, with the very lists it has given us; what
it would do with a placeholder (write it into `:file', hand it to `:post',
make a table of it) is done with the result instead."
  (dolist (argument '(:file :post))
    (let ((cell (assq argument params)))
      (when cell (setcdr cell nil))))
  (let ((result-params (cdr (assq :result-params params))))
    (when (consp result-params)
      (setcar result-params "none")
      (setcdr result-params (list "silent")))))

(defun ob-mesos--element-here ()
  "The block or call being executed, an Org element, or nil if it has no place.
That is in an Org buffer, not inline, and not in an export."
  (and (derived-mode-p 'org-mode)
       (not (bound-and-true-p org-babel-exp-reference-buffer))
       (or ob-mesos--element
           (save-excursion
             (goto-char (or org-babel-current-src-block-location (point)))
             (let ((element (org-element-context)))
               (and (memq (org-element-type element) '(src-block babel-call))
                    element))))))

;;;###autoload
(defun org-babel-execute:mesos (body params)
  "Run BODY on the cluster as PARAMS say.
Return at once; the result is inserted when it is there.  A block whose
value is needed at once, because another refers to it that does not run
on a cluster, because it stands inline, or in an export, is waited for."
  (ob-mesos--execute-block "mesos" body params))

(defun ob-mesos--execute-block (lang body params)
  "Run BODY, of the language LANG, on the cluster as PARAMS say."
  (let ((asker (ob-mesos--asker)))
    (cond
     (asker
      (ob-mesos--execute-for asker lang body params))
     ((ob-mesos--element-here)
      (ob-mesos--execute lang body params (ob-mesos--element-here)))
     (t (ob-mesos--wait-for-value
         (ob-mesos--shared-task lang body params nil) params)))))

(defun ob-mesos--execute (lang body params element)
  "Run BODY, of the language LANG, with PARAMS for ELEMENT, a block or call."
  (save-excursion
    (goto-char (org-element-property :post-affiliated element))
    (let* ((mine (copy-tree params))
           (task (ob-mesos--task lang body mine
                                 (org-element-property :name element)))
           (result-params (cdr (assq :result-params mine))))
      (setf (ob-mesos-task-hash task) (ob-mesos--hash body mine)
            (ob-mesos-task-origin task) (point-marker))
      (set-marker-insertion-type (ob-mesos-task-origin task) t)
      (ob-mesos--ensure-server (ob-mesos-task-server task)
                               (ob-mesos--document-keyword "address"))
      (unless (or (member "none" result-params) (member "silent" result-params))
        (ob-mesos--insert-placeholder task mine))
      (ob-mesos--launch task)
      (ob-mesos--leave-to-us params)
      (when (equal (cdr (assq :wait mine)) "yes")
        (ob-mesos--wait (lambda () (ob-mesos-task-done task))))
      (ob-mesos--placeholder task))))

(defun ob-mesos--execute-for (asker lang body params)
  "Run BODY, of the language LANG, with PARAMS for the sake of ASKER.
Return a promise if that can wait for the value, and else the value."
  (let* ((name (org-element-property :name (org-element-at-point)))
         (task (ob-mesos--shared-task lang body params name)))
    (if (ob-mesos--takes-promise-p asker)
        (prog1 (ob-mesos--promise task (car asker))
          (ob-mesos--leave-to-us params)
          ;; Org makes a table of what is none where a table is wanted.
          (setcdr (assq :result-type params) 'output))
      (ob-mesos--wait-for-value task params))))

(defvar ob-mesos--shared-functions nil
  "Called with the key of a task; the first task that one returns is used.")

(defun ob-mesos--shared-task (lang body params name)
  "The live task of BODY, of LANG, with PARAMS, or a new one.
NAME is that of the block; one that has none shares its task with none."
  (let ((key (ob-mesos--key lang body params name)))
    (or (run-hook-with-args-until-success 'ob-mesos--shared-functions key)
        (and name
             (cl-loop for task being the hash-values of ob-mesos--tasks
                      when (and (equal key (ob-mesos-task-key task))
                                (not (ob-mesos-task-done task)))
                      return task))
        (let ((task (ob-mesos--task lang body (copy-tree params) name)))
          (ob-mesos--ensure-server (ob-mesos-task-server task)
                                   (ob-mesos--document-keyword "address"))
          (ob-mesos--launch task)
          task))))

(defvar ob-mesos--before-wait-functions nil
  "Called before a task is waited for: all must be submitted by then.")

(defun ob-mesos--wait-for-value (task params)
  "Wait for TASK and return its value as PARAMS want it.
In an export that is a report if it has failed."
  (run-hooks 'ob-mesos--before-wait-functions)
  (ob-mesos--wait (lambda () (ob-mesos-task-done task)))
  (cond
   ((not (ob-mesos-task-failed-p task))
    (ob-mesos--task-value task params))
   ((bound-and-true-p org-babel-exp-reference-buffer)
    (ob-mesos--report task))
   (t (user-error "%s" (ob-mesos--report task)))))

(defun org-babel-prep-session:mesos (_session _params)
  "There are no sessions on a cluster."
  (user-error "A mesos block has no session"))

;;;; Commands

(defun ob-mesos--task-at-point ()
  "The task of the block, call or placeholder at point."
  (save-excursion
    (let* ((results (and (memq (org-element-type (org-element-context))
                               '(src-block babel-call))
                         (org-babel-where-is-src-block-result))))
      (when results
        (goto-char results)
        (forward-line 1)))
    (beginning-of-line)
    (when (looking-at (concat "[ \t]*: " ob-mesos--placeholder-regexp))
      (match-string-no-properties 1))))

;;;###autoload
(defun ob-mesos-kill ()
  "End the task of the block at point."
  (interactive)
  (let* ((id (or (ob-mesos--task-at-point)
                 (user-error "No task runs for what is here")))
         (task (gethash id ob-mesos--tasks))
         (ids (if task (ob-mesos--ids task) (list id))))
    (if ids
        (ob-mesos--request (ob-mesos-list--server (car ids))
                           :task/kill (list :ids (vconcat ids))
                           (lambda (_) (message "ob-mesos: %s is told to end" id)))
      (ob-mesos--refused task "Killed before it was launched"))))

;;;; The mode line

(defvar ob-mesos-mode-line "" "How many tasks run, for the mode line.")
(put 'ob-mesos-mode-line 'risky-local-variable t)

(defun ob-mesos--running ()
  "The tasks that have not ended."
  (let (running)
    (maphash (lambda (_id task)
               (unless (or (ob-mesos-task-done task)
                         (ob-mesos-task-members task))
               (push task running)))
             ob-mesos--tasks)
    running))

(defun ob-mesos--update-mode-line (&rest _)
  "Show how many tasks there are, and how the clusters are.
A cluster that is not reached makes the number end in \"!\", one that was
not reached yet in \"?\"; the mouse tells since when, and why."
  (let* ((count (length (ob-mesos--running)))
         (remote (cl-remove "local" (ob-mesos--live-servers) :test #'equal
                            :key #'ob-mesos--server-master)))
    (setq ob-mesos-mode-line
          (cond
           ((and (zerop count) (null remote)) "")
           ((null remote) (format " mesos:%d" count))
           (t
            (propertize
             (concat (format " mesos:%d" count)
                     (cond ((cl-some #'ob-mesos--server-trouble remote) "!")
                           ((cl-every #'ob-mesos--server-since remote) "")
                           (t "?")))
             'face (and (cl-some #'ob-mesos--server-trouble remote) 'error)
             'help-echo (mapconcat #'ob-mesos--cluster-state remote "\n")))))
    (force-mode-line-update t)))

(defun ob-mesos--cluster-state (server)
  "A sentence about the cluster of SERVER."
  (let ((since (ob-mesos--server-since server))
        (trouble (ob-mesos--server-trouble server)))
    (format "%s: %s" (ob-mesos--server-master server)
            (cond ((not since) "connecting")
                  (trouble (format "not connected since %s: %s" since trouble))
                  (t (format "connected since %s" since))))))

(unless (memq 'ob-mesos-mode-line global-mode-string)
  (setq global-mode-string
        (append (or global-mode-string '("")) '(ob-mesos-mode-line))))
(add-hook 'ob-mesos-finished-functions #'ob-mesos--update-mode-line)
(add-hook 'ob-mesos-cluster-functions #'ob-mesos--update-mode-line)

;;;; The end of Emacs

(defvar ob-mesos--kill-at-exit nil "Whether the user wants that.")

(defun ob-mesos--query-exit ()
  "Ask what is to become of running tasks, if the user wants to be asked."
  (let ((running (ob-mesos--running)))
    (when (and running (eq ob-mesos-on-exit 'ask) (not noninteractive))
      (setq ob-mesos--kill-at-exit
            (yes-or-no-p (format "%d tasks run on the cluster; kill them? "
                                 (length running)))))
    t))

(defun ob-mesos--on-exit ()
  "End the servers; tasks go on unless the user wants otherwise."
  (let ((doomed (and (or ob-mesos--kill-at-exit (eq ob-mesos-on-exit 'kill))
                     (ob-mesos--running))))
    (dolist (server ob-mesos--servers)
      (ob-mesos--disconnect
       server
       (cl-loop for task in doomed
                when (equal (ob-mesos-task-master task)
                            (ob-mesos--server-master server))
                collect (ob-mesos-task-id task))))))

(add-hook 'kill-emacs-query-functions #'ob-mesos--query-exit)
(add-hook 'kill-emacs-hook #'ob-mesos--on-exit)
(add-hook 'org-mode-hook #'ob-mesos--attach-if-live)
(add-hook 'after-revert-hook #'ob-mesos--attach-if-live)

(provide 'ob-mesos)
;;; ob-mesos.el ends here
