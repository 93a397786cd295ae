;;; ob-mesos-reuse.el --- The reuse of results  -*- lexical-binding: t; -*-

;; Copyright (C) 2026 The ob-mesos contributors
;; SPDX-License-Identifier: GPL-3.0-or-later

;;; Commentary:

;; The server decides whether to reuse the result of an earlier task; it
;; compares the inputs of the tasks.  This file sends the server what it
;; does not know: the digests of the parts of the body, the files that
;; belong to the result, and the blocks that `:after' names.

;;; Code:

(require 'cl-lib)
(require 'ob)
(require 'ob-mesos-args)
(require 'ob-mesos-task)
(require 'ob-mesos-graph)
(require 'ob-mesos-fetch)
(require 'ob-mesos-lang)

(defun ob-mesos--reuse-mode (params graph)
  "Return as a string whether to run a block with PARAMS of GRAPH, or nil.
It is \"yes\" to reuse a result, \"no\" to run, \"only\" not to run, and
\"never\" if the result depends on more than what goes in, or consists of
more than the server can keep.  What GRAPH says counts more than
`:cache', except for an explicit `:cache no'."
  (let ((cache (format "%s" (or (cdr (assq :cache params)) "")))
        (wanted (and graph (ob-mesos--graph-reuse graph))))
    (cond ((or (ob-mesos--interactive-p params)
               (ob-mesos--file-elsewhere-p params))
           "never")
          ((equal wanted "only") wanted)
          ((or (equal wanted "no") (equal cache "no")) "no")
          (wanted)
          ((equal cache "yes") "yes")
          (t "no"))))

(defun ob-mesos--reuse-fields (task params graph)
  "Return the fields of the block of TASK that are about reuse.
PARAMS are its header arguments; it is a part of GRAPH, or that is nil."
  (cl-flet ((paths (files)
              (vconcat (mapcar (lambda (file) (ob-mesos--in-sandbox task (car file)))
                               files))))
    (let ((files (ob-mesos--wanted-files (ob-mesos-task-params task))))
      (list :reuse (ob-mesos--reuse-mode params graph)
            :fetch (paths (cl-remove-if-not #'cdr files))
            :fetchOptional (paths (cl-remove-if #'cdr files))
            :afterBlocks (vconcat (ob-mesos--after-names params))))))

(defun ob-mesos--file-elsewhere-p (params)
  "Return non-nil if PARAMS name a file outside of the sandbox as the result."
  (let ((result-params (cdr (assq :result-params params)))
        (file (cdr (assq :file params))))
    (and (stringp file)
         (cl-intersection '("link" "graphics") result-params :test #'equal)
         (or (file-name-absolute-p file) (string-prefix-p ".." file)))))

(defun ob-mesos--digest (value)
  "Return a short digest of VALUE, any Lisp object."
  (substring (secure-hash 'sha256 (prin1-to-string value)) 0 16))

(defun ob-mesos--inputs (body params program)
  "Return digests of the parts of PROGRAM, which is for BODY with PARAMS.
They explain why a result cannot be reused."
  (cl-loop for (name value) on (list :text body
                                     :values (org-babel--get-vars params)
                                     :stdin (ob-mesos--program-stdin program)
                                     :cmdline (cdr (assq :cmdline params))
                                     :sent (ob-mesos--program-files program))
           by #'cddr
           when value append (list name (ob-mesos--digest value))))

(defun ob-mesos--ignored-variables (program foreach)
  "Return the variables that have no influence on PROGRAM, a vector.
PROGRAM is the text that runs; what is packed into it cannot be read.
With FOREACH non-nil it is for an element of `:foreach': the number of
all elements counts only if PROGRAM uses it."
  (if (and foreach (not (string-match-p "OB_MESOS_COUNT\\|base64 -d >" program)))
      ["OB_MESOS_COUNT"]
    []))

;;;; What is told

(defun ob-mesos-task-reused-p (task)
  "Return non-nil if TASK has the result of an earlier one.
That of a group is if those of all members are."
  (if (ob-mesos-task-members task)
      (cl-every #'ob-mesos-task-reused-p (ob-mesos-task-members task))
    (plist-get (ob-mesos-task-data task) :reused)))

(defun ob-mesos--reused-when (task)
  "Return when the result of TASK was made, which it has from an earlier one."
  (format-time-string "%F %T" (/ (plist-get (ob-mesos-task-data task) :reusedEnded) 1000)))

(defun ob-mesos--newest-result (tasks)
  "Return when the latest of the results that TASKS reuse was made."
  (car (sort (mapcar #'ob-mesos--reused-when tasks)
             (lambda (a b) (string< b a)))))

(defun ob-mesos--tell-reuse (task)
  "Show a message if the result of TASK, or of members of it, is reused."
  (let ((reused (cl-remove-if-not #'ob-mesos-task-reused-p (ob-mesos-task-parts task))))
    (when (and reused (ob-mesos-task-block-marker task) (not noninteractive))
      (message "ob-mesos: the result of %s is reused, from %s"
               (if (ob-mesos-task-members task)
                   (format "%d of %d members of %s" (length reused)
                           (ob-mesos-task-count task) (ob-mesos-task-id task))
                 (plist-get (ob-mesos-task-data task) :reused))
               (ob-mesos--newest-result reused)))))

(defun ob-mesos--input-key (task)
  "Return the key of the inputs of TASK, a string, or nil if it is not known.
That of a group is a digest of those of all its members."
  (let ((keys (mapcar (lambda (each) (plist-get (ob-mesos-task-data each) :key))
                      (ob-mesos-task-parts task))))
    (cond ((memq nil keys) nil)
          ((cdr keys) (secure-hash 'sha256 (string-join keys)))
          (t (car keys)))))

(add-hook 'ob-mesos-ended-functions #'ob-mesos--tell-reuse)

(provide 'ob-mesos-reuse)
;;; ob-mesos-reuse.el ends here
