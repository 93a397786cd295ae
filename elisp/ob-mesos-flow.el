;;; ob-mesos-flow.el --- Values that are computed later  -*- lexical-binding: t; -*-

;; Copyright (C) 2026 The ob-mesos contributors
;; SPDX-License-Identifier: GPL-3.0-or-later

;;; Commentary:

;; A block that uses the value of another block is submitted immediately,
;; with a promise in place of the value, and waits in the server's queue.
;; When the other block has ended, a continuation expands the body with the
;; value and submits the body with the same id.

;;; Code:

(require 'cl-lib)
(require 'ob)
(require 'ob-ref)
(require 'ob-mesos-task)
(require 'ob-mesos-result)

;;;; Promises

(defun ob-mesos--promise (task index)
  "Return text that stands for the value of TASK.
INDEX takes a part of it, as in \"table[0,1]\"; nil is all of it."
  (format "mesos-value:%s[%s]" (ob-mesos-task-id task) (or index "")))

(defun ob-mesos--promised (value)
  "What VALUE stands for if it is a promise, (TASK . INDEX), or nil."
  (when (and (stringp value)
             (string-match "\\`mesos-value:\\([^][\n]+\\)\\[\\([^][]*\\)\\]\\'"
                           value))
    (let ((index (match-string 2 value))
          (task (gethash (match-string 1 value) ob-mesos--tasks)))
      (and task (cons task (and (not (string-empty-p index)) index))))))

(defun ob-mesos--promised-value (promise)
  "The value that PROMISE, (TASK . INDEX), stands for."
  (let* ((task (car promise))
         (params (ob-mesos-task-params task))
         (value (cond
                 ((or (assq :file params) (assq :post params))
                  (car (ob-mesos--outcome task)))
                 ((ob-mesos--cut-p task)
                  (user-error "Not all output of %s is known; run it again"
                              (ob-mesos-task-id task)))
                 (t (ob-mesos--call-in-document
                     task (lambda () (ob-mesos--raw-value task params t)))))))
    (cond ((and value (symbolp value)) (format "%S" value))
          ((and (cdr promise) (listp value))
           (org-babel-ref-index-list (cdr promise) value))
          (t value))))

(defun ob-mesos--promised-vars (params)
  "Return the variables of PARAMS that are promises, (NAME TASK . INDEX) each."
  (cl-loop for (name . value) in (org-babel--get-vars params)
           for promise = (ob-mesos--promised value)
           when promise collect (cons name promise)))

(defun ob-mesos--promising-tasks (params)
  "Return the tasks whose values PARAMS promise, to `:var' and `:stdin'."
  (let ((stdin (ob-mesos--promised (cdr (assq :stdin-value params))))
        (vars (mapcar #'cadr (ob-mesos--promised-vars params))))
    (if stdin (cons (car stdin) vars) vars)))

(defun ob-mesos--keep-promises (params)
  "PARAMS with values in the place of promises.
Tables lose what Org takes off them for the sake of a language."
  (let* ((processed
          (org-babel-process-params
           (append
            (cl-loop for (name . promise) in (ob-mesos--promised-vars params)
                     collect (cons :var (cons name (ob-mesos--promised-value
                                                    promise))))
            (cl-remove-if-not (lambda (argument)
                                (memq (car argument)
                                      '(:hlines :colnames :rownames)))
                              params))))
         (values (org-babel--get-vars processed)))
    (cl-loop for (argument . value) in params
             collect
             (cons argument
                   (pcase argument
                     ((and :var (guard (and (consp value)
                                            (ob-mesos--promised (cdr value)))))
                      (assq (car value) values))
                     ((and :stdin-value (guard (ob-mesos--promised value)))
                      (list (ob-mesos--promised-value (ob-mesos--promised value))))
                     ((or :colname-names :rowname-names)
                      (append value (cdr (assq argument processed))))
                     (_ value))))))

;;;; What a task waits for

(defvar ob-mesos--waiting-tasks nil "Tasks that wait for values.")

(defun ob-mesos--ids (task)
  "The ids under which the server knows TASK, none if it does not yet."
  (cond ((ob-mesos-task-members task)
         (mapcar #'ob-mesos-task-id (ob-mesos-task-members task)))
        ((ob-mesos-task-local task) nil)
        (t (list (ob-mesos-task-id task)))))

(defun ob-mesos--note-needs (task)
  "Write down in the block of TASK what it comes after.
What its own server does not know, Emacs waits for."
  (let (ids)
    (dolist (need (ob-mesos-task-needs task))
      (unless (ob-mesos-task-done need)
        (let ((known (and (equal (ob-mesos-task-master need)
                                 (ob-mesos-task-master task))
                          ;; The server does not know all members yet.
                          (null (ob-mesos-task-more need))
                          (ob-mesos--ids need))))
          (if known
              (setq ids (append ids known))
            (setf (ob-mesos-task-waits task) t)))))
    (when ids
      (setf (ob-mesos-task-block task)
            (plist-put (ob-mesos-task-block task) :after (vconcat ids))))))

(defun ob-mesos--why-not (upstream)
  "Why what needs UPSTREAM, which has failed, is not run."
  (format "The task needs %s, which is %s%s" (ob-mesos-task-id upstream)
          (ob-mesos-task-state upstream)
          ;; The task list of the server does not contain UPSTREAM.
          (if (and (ob-mesos-task-local upstream) (not (ob-mesos-task-members upstream)))
              (format ": %s" (plist-get (ob-mesos-task-data upstream) :message))
            "")))

(defun ob-mesos--upstream-ended (upstream)
  "Go on with what has waited for UPSTREAM, which has ended."
  (dolist (task ob-mesos--waiting-tasks)
    (when (and (memq upstream (ob-mesos-task-needs task))
               (or (ob-mesos-task-done task)
                   (ob-mesos-task-failed-p upstream)
                   (cl-every #'ob-mesos-task-done (ob-mesos-task-needs task))))
      (setq ob-mesos--waiting-tasks (remq task ob-mesos--waiting-tasks))
      (cond
       ((ob-mesos-task-done task))
       ((not (ob-mesos-task-failed-p upstream))
        (condition-case err
            (ob-mesos--call-in-document task (ob-mesos-task-continuation task))
          ((error quit) (ob-mesos--give-up task (error-message-string err)))))
       ((ob-mesos-task-waits task)
        (ob-mesos--give-up task (ob-mesos--why-not upstream)))))))

(defun ob-mesos--give-up (task why)
  "End TASK, which cannot be launched, and say WHY."
  (let ((ids (ob-mesos--ids task)))
    (when ids
      (ob-mesos--request-kill (ob-mesos-task-server task) ids #'ignore)))
  (ob-mesos--refused task why))

(add-hook 'ob-mesos-ended-functions #'ob-mesos--upstream-ended)

(provide 'ob-mesos-flow)
;;; ob-mesos-flow.el ends here
