;;; ob-mesos-submit.el --- From a block to its task  -*- lexical-binding: t; -*-

;; Copyright (C) 2026 The ob-mesos contributors
;; SPDX-License-Identifier: GPL-3.0-or-later

;;; Commentary:

;; Makes tasks of blocks that Org executes, and hands them to the server.
;; A block with a place gets a placeholder and its result later; one whose
;; value another block wants gives a promise, or the value.


;;; Code:

(require 'cl-lib)
(require 'map)
(require 'org)
(require 'org-element)
(require 'ob)
(require 'ob-mesos-args)
(require 'ob-mesos-task)
(require 'ob-mesos-result)
(require 'ob-mesos-lang)
(require 'ob-mesos-flow)
(require 'ob-mesos-group)

;;;; Tasks

(defvar ob-mesos-launched-functions nil
  "Called with `ob-mesos-task's that were handed to their servers.")

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
    :output-dir :post :wrap :sep :cache :eval :noweb :tangle :comments)
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

(defun ob-mesos--task (lang body params name)
  "Make a task of BODY, of the language LANG, with PARAMS for the block NAME.
It is a group if PARAMS say so."
  (when (string-blank-p body)
    (ob-mesos--check-empty params))
  (unless (member (cdr (assq :session params)) '(nil "none"))
    (user-error "A block on a cluster has no session"))
  (let* ((id (ob-mesos--new-id name))
         (dir (cdr (assq :dir params)))
         (resources (ob-mesos--resources params))
         (task (ob-mesos-task--make
                :id id :lang lang :source body :params params
                :master (ob-mesos--master params)
                :key (and name (ob-mesos--key lang body params name))
                :directory (ob-mesos--document-directory)
                :needs (append (delq nil (mapcar #'ob-mesos--named-task
                                                 (ob-mesos--after-names params)))
                               (mapcar #'cadr (ob-mesos--promised-vars params)))
                :block (append
                        (list :id id :name (or name "") :document
                              (or (buffer-file-name (buffer-base-buffer)) "")
                              :directory (if (stringp dir) dir ""))
                        resources))))
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
    (unless (string-blank-p body)
      (setf (ob-mesos-task-block task)
            (append (list :interpreter (vconcat (ob-mesos--program-interpreter
                                                 program))
                          :body (ob-mesos--valid text))
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
                (append '(:bodyLater t) (ob-mesos--without-entrypoint later))
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
    (setf (ob-mesos-task-block member)
          (append (list :group (ob-mesos-task-id group))
                  (plist-put block :environment table)))
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
      (ob-mesos--refused task (ob-mesos--why-not failed)))
     (ob-mesos--collect (funcall ob-mesos--collect tasks))
     (t (ob-mesos--submit-launched tasks)))))

(defun ob-mesos--submit-launched (tasks)
  "Hand TASKS to their servers, and tell of it."
  (ob-mesos--submit tasks)
  (run-hook-with-args 'ob-mesos-launched-functions tasks))

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
That is in an Org buffer, and not in an export."
  (and (derived-mode-p 'org-mode)
       (not (bound-and-true-p org-babel-exp-reference-buffer))
       (or ob-mesos--element
           (save-excursion
             (goto-char (or org-babel-current-src-block-location (point)))
             (let ((element (org-element-context)))
               (and (memq (org-element-type element)
                          '(src-block babel-call inline-src-block
                            inline-babel-call))
                    element))))))

;;;; Execution

;; That file requires this one.
(declare-function ob-mesos--execute-in-export "ob-mesos-export" (lang body params))
(declare-function ob-mesos--exported-task "ob-mesos-export" (lang body params))

(defun ob-mesos--execute-block (lang body params)
  "Run BODY, of the language LANG, on the cluster as PARAMS say."
  (let ((asker (ob-mesos--asker)))
    (cond
     (asker
      (ob-mesos--execute-for asker lang body params))
     ((bound-and-true-p org-babel-exp-reference-buffer)
      (ob-mesos--execute-in-export lang body params))
     ((ob-mesos--element-here)
      (ob-mesos--execute lang body params (ob-mesos--element-here)))
     (t (ob-mesos--wait-for-value
         (ob-mesos--new-task lang body params nil) params)))))

(defun ob-mesos--execute (lang body params element)
  "Run BODY, of the language LANG, with PARAMS for ELEMENT, a block or call."
  (save-excursion
    (goto-char (ob-mesos--element-begin element))
    (let* ((mine (copy-tree params))
           (task (ob-mesos--task lang body mine
                                 (org-element-property :name element)))
           (result-params (cdr (assq :result-params mine))))
      (setf (ob-mesos-task-hash task) (ob-mesos--hash body mine)
            (ob-mesos-task-origin task) (point-marker)
            (ob-mesos-task-text task) (org-element-property :value element))
      (set-marker-insertion-type (ob-mesos-task-origin task) t)
      (ob-mesos--ensure-server (ob-mesos-task-server task)
                               (ob-mesos--document-keyword "address"))
      (unless (or (member "none" result-params) (member "silent" result-params))
        (if (ob-mesos--inline-p element)
            (ob-mesos--insert-inline-placeholder
             (ob-mesos--short-placeholder task))
          (ob-mesos--insert-placeholder task mine)))
      (ob-mesos--launch task)
      (ob-mesos--leave-to-us params)
      (when (equal (cdr (assq :wait mine)) "yes")
        (ob-mesos--wait (lambda () (ob-mesos-task-done task))))
      (ob-mesos--placeholder task))))

(defun ob-mesos--execute-for (asker lang body params)
  "Run BODY, of the language LANG, with PARAMS for the sake of ASKER.
Return a promise if that can wait for the value, and else the value."
  (let ((promised (ob-mesos--takes-promise-p asker)))
    (unless promised
      (run-hooks 'ob-mesos--before-wait-functions))
    (let ((task (if (bound-and-true-p org-babel-exp-reference-buffer)
                    (ob-mesos--exported-task lang body params)
                  (ob-mesos--shared-task
                   lang body params
                   (org-element-property :name (org-element-at-point))))))
      (if promised
          (prog1 (ob-mesos--promise task (car asker))
            (ob-mesos--leave-to-us params)
            ;; Org makes a table of what is none where a table is wanted.
            (setcdr (assq :result-type params) 'output))
        (ob-mesos--wait-for-value task params)))))

(defun ob-mesos--new-task (lang body params name)
  "Launch a task of BODY, of LANG, with PARAMS for the block NAME or nil."
  (let ((task (ob-mesos--task lang body (copy-tree params) name)))
    (ob-mesos--ensure-server (ob-mesos-task-server task)
                             (ob-mesos--document-keyword "address"))
    (ob-mesos--launch task)
    task))

(defun ob-mesos--shared-task (lang body params name)
  "The live task of BODY, of LANG, with PARAMS, or a new one.
NAME is that of the block; one that has none shares its task with none."
  (let ((key (and name (ob-mesos--key lang body params name))))
    (or (and key
             (cl-loop for task being the hash-values of ob-mesos--tasks
                      when (and (equal key (ob-mesos-task-key task))
                                (not (ob-mesos-task-done task)))
                      return task))
        (ob-mesos--new-task lang body params name))))

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

(provide 'ob-mesos-submit)
;;; ob-mesos-submit.el ends here
