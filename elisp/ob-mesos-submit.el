;;; ob-mesos-submit.el --- Create and submit tasks  -*- lexical-binding: t; -*-

;; Copyright (C) 2026 The ob-mesos contributors
;; SPDX-License-Identifier: GPL-3.0-or-later

;;; Commentary:

;; Creates the task of a block: its id, its program (or a continuation that
;; generates the program later), and its members if it is a group.  Inserts
;; the placeholder and sends the task to the server.

;;; Code:

(require 'cl-lib)
(require 'map)
(require 'org)
(require 'org-element)
(require 'ob)
(require 'ob-mesos-args)
(require 'ob-mesos-task)
(require 'ob-mesos-graph)
(require 'ob-mesos-result)
(require 'ob-mesos-lang)
(require 'ob-mesos-flow)
(require 'ob-mesos-reuse)
(require 'ob-mesos-group)

;;;; Tasks

(defvar ob-mesos-launched-functions nil
  "Called with `ob-mesos-task's that were handed to their servers.")

(defvar ob-mesos--graph nil "The graph a node of which is executed, or nil.")

(defun ob-mesos--new-id (name)
  "A new id for a block with NAME, or without."
  (let ((letters "abcdefghijklmnopqrstuvwxyz234567"))
    (concat (if (and name (not (string-empty-p name)))
                (replace-regexp-in-string
                 "\\`[-.]+" "_"
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
                 (let ((one "\\(?:https?://\\)?\\(?:[A-Za-z0-9][A-Za-z0-9._-]*\\|\\[[0-9a-fA-F:.]+\\]\\)\\(?::[0-9]+\\)?/?"))
                   (string-match-p
                    (concat "\\`\\(?:zk://[^ \t\n/]+/[^ \t\n]+\\|"
                            one "\\(?:," one "\\)*\\)\\'")
                    master)))
      (ob-mesos--bad "master" master
                     "local, host:port, http(s)://host:port or zk://host:port/path"))
    master))

(defconst ob-mesos--about-results
  '(:results :result-params :result-type :exports :file :file-desc :file-ext
    :output-dir :post :wrap :sep :cache :eval :noweb :tangle :comments :stdin-value)
  "Header arguments that have no influence on what runs.")

(defun ob-mesos--key (lang body params name)
  "A text of its own for a block NAME of LANG with BODY and PARAMS."
  (secure-hash
   'sha1 (prin1-to-string
          (list lang body name
                (sort (delete-dups
                       (mapcar #'prin1-to-string
                               (cl-remove-if
                                (lambda (argument)
                                  (memq (car argument) ob-mesos--about-results))
                                params)))
                      #'string<)))))

(defun ob-mesos--shared-key (lang body params name)
  "Return what identifies a task that others of this document can share.
LANG, BODY, PARAMS and NAME are as for `ob-mesos--key'; nil without NAME."
  (and name
       (list (or (buffer-file-name (buffer-base-buffer)) (current-buffer))
             (ob-mesos--document-directory)
             (ob-mesos--master params)
             (ob-mesos--key lang body params name))))

(defun ob-mesos--bare-task (id lang body params)
  "Return a task ID of BODY, of the language LANG, with PARAMS, at point.
It has nothing to submit."
  (ob-mesos-task--make
   :id id :lang lang :source body :params params
   :master (ob-mesos--master params)
   :directory (ob-mesos--document-directory)
   :context (and (derived-mode-p 'org-mode)
                 ;; An indirect buffer can be killed.
                 (set-marker (make-marker) (point)
                             (or (buffer-base-buffer) (current-buffer))))))

(defun ob-mesos--task (lang body params name after)
  "Make a task of BODY, of the language LANG, with PARAMS for the block NAME.
It comes after the tasks AFTER.  It is a group if PARAMS say so."
  (ob-mesos--check-params lang body params)
  (let ((task (ob-mesos--bare-task (ob-mesos--new-id name) lang body params)))
    (setf (ob-mesos-task-key task) (ob-mesos--shared-key lang body params name)
          (ob-mesos-task-needs task)
          (delete-dups (append after (ob-mesos--promising-tasks params))))
    (ob-mesos--set-block task name params)
    (ob-mesos--prepare-task task body)
    task))

(defun ob-mesos--set-block (task name params)
  "Set the block of TASK, which is for the block NAME, or nil, with PARAMS.
It has no program."
  (let ((dir (cdr (assq :dir params))))
    (setf (ob-mesos-task-block task)
          (append
           (list :id (ob-mesos-task-id task) :name (or name "") :document
                 (or (buffer-file-name (buffer-base-buffer)) "")
                 :directory (if (stringp dir) dir ""))
           ;; That of `:cache' is decided below.
           (map-delete (ob-mesos--resources params) :reuse)))
    (setf (ob-mesos-task-block task)
          (append (ob-mesos-task-block task)
                  (ob-mesos--reuse-fields task params ob-mesos--graph)))))

(defun ob-mesos--prepare-task (task body)
  "Give TASK, which is for BODY, its program or its members, now or later."
  (if (ob-mesos--fan-out-p (ob-mesos-task-params task))
      (ob-mesos--prepare-group task body)
    (ob-mesos--prepare task body)))

(defun ob-mesos--fill (task body params)
  "Give TASK its program: BODY with PARAMS, all values in them."
  (setf (ob-mesos-task-params task) params)
  (let* ((program (ob-mesos--program (ob-mesos-task-lang task) body params))
         (text (ob-mesos--program-body program)))
    (when (> (string-bytes text) 1048576)
      (user-error "The block has %d bytes; 1048576 can be passed"
                  (string-bytes text)))
    (unless (and (equal (ob-mesos-task-lang task) "mesos") (string-blank-p body))
      (setf (ob-mesos-task-block task)
            (append (list :interpreter (vconcat (ob-mesos--program-interpreter
                                                 program))
                          :body (ob-mesos--valid text)
                          :inputs (ob-mesos--inputs body params program))
                    (when-let ((session (ob-mesos--program-session program)))
                      (list :session session))
                    (ob-mesos--without-entrypoint (ob-mesos-task-block task)))))))

(defun ob-mesos--without-entrypoint (block)
  "BLOCK without its image's own command, for it has a body or waits for one."
  (let ((container (plist-get block :container)))
    (if (plist-get container :entrypoint)
        (append (list :container (plist-put (copy-sequence container)
                                            :entrypoint :json-false))
                (map-delete (copy-sequence block) :container))
      block)))

(defun ob-mesos--valid (text)
  "TEXT, multibyte, with bytes that are no characters as such."
  (decode-coding-string (encode-coding-string text 'utf-8-emacs-unix t)
                        'utf-8-emacs-unix t))

(defun ob-mesos--must-wait-p (task)
  "Whether TASK cannot have its program yet."
  (or (ob-mesos-task-waits task)
      (cl-some (lambda (promising) (not (ob-mesos-task-done promising)))
               (ob-mesos--promising-tasks (ob-mesos-task-params task)))))

(defun ob-mesos--prepare (task body)
  "Give TASK, which is for BODY, its program, or have that done later."
  (let ((params (ob-mesos-task-params task)))
    (ob-mesos--note-needs task)
    (if (ob-mesos--must-wait-p task)
        (let ((later (copy-sequence (ob-mesos-task-block task))))
          (setf (ob-mesos-task-block task)
                (append '(:bodyLater t) (ob-mesos--without-entrypoint later))
                (ob-mesos-task-continuation task)
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
                 (let ((member (ob-mesos--make-member group body params id)))
                   (setf (ob-mesos-task-unmade member)
                         (lambda ()
                           (ob-mesos--fill-member member group body params
                                                  vars environment)))
                   member))
               (ob-mesos--elements params foreach))
              ;; What is wrong with all of them is told at once.
              (let ((first (car (ob-mesos-task-members group))))
                (funcall (ob-mesos-task-unmade first))
                (setf (ob-mesos-task-unmade first) nil))))))
    (when (and (assq :instances params) foreach)
      (user-error "`:instances' and `:foreach' cannot be used together"))
    (when promise
      (when (ob-mesos-task-failed-p (car promise))
        (user-error "%s" (ob-mesos--why-not (car promise))))
      (cl-pushnew (car promise) (ob-mesos-task-needs group)))
    (ob-mesos--note-needs group)
    (if (or (ob-mesos--must-wait-p group)
            (and promise (not (ob-mesos-task-done (car promise)))))
        (setf (ob-mesos-task-local group) t
              (ob-mesos-task-waits group) t
              (ob-mesos-task-data group)
              (list :state "QUEUED" :message (ob-mesos--waits-message group))
              (ob-mesos-task-continuation group)
              (lambda ()
                (funcall make)
                (let ((ob-mesos--graph nil))
                  (ob-mesos--launch group))))
      (funcall make))))

(defun ob-mesos--fill-member (member group body params vars environment)
  "Give MEMBER of GROUP, which is for BODY with PARAMS and VARS, its block.
ENVIRONMENT is an alist of more variables for its environment."
  (let* ((block (plist-put (copy-sequence (ob-mesos-task-block group))
                           :id (ob-mesos-task-id member)))
         (table (copy-hash-table (or (plist-get block :environment)
                                     (make-hash-table :test #'equal :size 4))))
         (all (append (mapcar (lambda (var) (cons :var var)) vars) params)))
    (pcase-dolist (`(,name . ,value) environment)
      (puthash name (format "%s" value) table))
    (setf (ob-mesos-task-block member)
          (append (list :group (ob-mesos-task-id group)
                        :title (ob-mesos-task-title member))
                  (plist-put block :environment table)))
    (ob-mesos--call-in-document
     group (lambda () (ob-mesos--fill member body all)))
    (setf (ob-mesos-task-block member)
          (append (list :ignored
                        (ob-mesos--ignored-variables
                         (or (plist-get (ob-mesos-task-block member) :body) "") vars))
                  (ob-mesos-task-block member)))))

(defun ob-mesos--make-member (group body params id)
  "Return the member ID of GROUP, which is for BODY with PARAMS.
Its block is made when it is submitted."
  (ob-mesos-task--make
   :id id :lang (ob-mesos-task-lang group) :source body
   :master (ob-mesos-task-master group)
   :directory (ob-mesos-task-directory group)
   :params params))

(defun ob-mesos--register (task)
  "Know TASK from now on."
  (puthash (ob-mesos-task-id task) task ob-mesos--tasks)
  (when (ob-mesos-task-continuation task)
    (push task ob-mesos--waiting-tasks)))

(defun ob-mesos--launch (task)
  "Send TASK to the server, or keep it for the request of the graph."
  (let ((tasks (cond ((ob-mesos-task-members task))
                     ((ob-mesos-task-local task) nil)
                     (t (list task))))
        (failed (cl-find-if #'ob-mesos-task-failed-p (ob-mesos-task-needs task))))
    (unless (gethash (ob-mesos-task-id task) ob-mesos--tasks)
      (ob-mesos--register task))
    (mapc #'ob-mesos--register (ob-mesos-task-members task))
    (cond
     (failed
      (ob-mesos--refused task (ob-mesos--why-not failed)))
     (ob-mesos--graph
      (setf (ob-mesos--graph-unsent ob-mesos--graph)
            (append (reverse tasks) (ob-mesos--graph-unsent ob-mesos--graph))))
     (t (ob-mesos--submit-launched tasks)))))

(defun ob-mesos--submit-launched (tasks)
  "Hand TASKS to their servers, and tell of it."
  (ob-mesos--submit tasks)
  (run-hook-with-args 'ob-mesos-launched-functions tasks))

(defun ob-mesos--live-task (key)
  "Return the task with KEY that has not ended, or nil."
  (and key
       (cl-loop for task being the hash-values of ob-mesos--tasks
                when (and (equal key (ob-mesos-task-key task))
                          (not (ob-mesos-task-done task)))
                return task)))

(defun ob-mesos--same-program-p (task lang body params)
  "Return non-nil if TASK is for BODY, of LANG, with PARAMS, all values in them.
Nobody can tell while TASK waits for values itself."
  (and (equal lang (ob-mesos-task-lang task))
       (not (ob-mesos--must-wait-p task))
       (equal (ob-mesos--key lang body params nil)
              (ob-mesos--key (ob-mesos-task-lang task) (ob-mesos-task-source task)
                             (ob-mesos--keep-promises (ob-mesos-task-params task))
                             nil))))

(defun ob-mesos--new-task (lang body params name after)
  "Launch a task of BODY, of LANG, with PARAMS for the block NAME or nil.
It comes after the tasks AFTER."
  (let ((task (ob-mesos--task lang body params name after)))
    (ob-mesos--start-server (ob-mesos-task-server task))
    (ob-mesos--launch task)
    task))

(defun ob-mesos--start-server (server)
  "Start SERVER, with the settings of this document, if it does not run."
  (ob-mesos--ensure-server server (ob-mesos--document-keyword "address")))

(defun ob-mesos--follow-file-name ()
  "Let the tasks of this buffer belong to the file that it visits now."
  (maphash (lambda (_id task)
             (let ((marker (ob-mesos-task-block-marker task)))
               (when (and marker (eq (marker-buffer marker) (current-buffer)))
                 (setf (ob-mesos-task-file task) buffer-file-name))))
           ob-mesos--tasks))

;; A major mode that is turned on again keeps it.
(put 'ob-mesos--follow-file-name 'permanent-local-hook t)

(defun ob-mesos--quiet-p (params)
  "Return non-nil if the result of a block with PARAMS is not inserted."
  (cl-intersection '("none" "silent" "discard") (cdr (assq :result-params params))
                   :test #'equal))

(defun ob-mesos--execute (lang body params element after)
  "Run BODY, of the language LANG, with PARAMS for ELEMENT at point.
The task comes after the tasks AFTER.  Insert its placeholder and return
the task."
  (unless (ob-mesos--quiet-p params)
    (barf-if-buffer-read-only))
  (let ((task (ob-mesos--task lang body params
                              (org-element-property :name element) after)))
    (ob-mesos--start-server (ob-mesos-task-server task))
    (ob-mesos--show-placeholder task params element)
    (ob-mesos--launch task)
    task))

(defun ob-mesos--show-placeholder (task params element)
  "Make TASK that of ELEMENT at point and insert its placeholder.
PARAMS are the header arguments."
  (setf (ob-mesos-task-block-marker task) (ob-mesos-task-context task)
        (ob-mesos-task-text task) (org-element-property :value element)
        (ob-mesos-task-file task) (buffer-file-name (buffer-base-buffer)))
  (set-marker-insertion-type (ob-mesos-task-block-marker task) t)
  (with-current-buffer (or (buffer-base-buffer) (current-buffer))
    (add-hook 'after-set-visited-file-name-hook
              #'ob-mesos--follow-file-name nil t))
  (unless (ob-mesos--quiet-p params)
    (save-excursion
      (if (ob-mesos--inline-p element)
          (ob-mesos--insert-inline-placeholder
           (ob-mesos--short-placeholder task))
        (ob-mesos--insert-placeholder task params)))))

(defun ob-mesos--failed-task (lang body params name why)
  "Return a task that has failed because of WHY, for the block NAME or nil.
LANG, BODY and PARAMS are as for `ob-mesos--task'.  Nothing is submitted."
  (let ((task (ob-mesos--bare-task (ob-mesos--new-id name) lang body params)))
    (setf (ob-mesos-task-local task) t
          (ob-mesos-task-block task) (list :name (or name "")))
    (ob-mesos--register task)
    (ob-mesos--refused task why)
    task))

(provide 'ob-mesos-submit)
;;; ob-mesos-submit.el ends here
