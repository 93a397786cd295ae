;;; ob-mesos-flow.el --- Values that are not there yet  -*- lexical-binding: t; -*-

;; Copyright (C) 2026 The ob-mesos contributors
;; SPDX-License-Identifier: GPL-3.0-or-later

;;; Commentary:

;; A block that uses the value of another is submitted at once, with a
;; promise in the place of the value.  It waits in the server's queue; when
;; the other has ended, its body is expanded with the value and submitted
;; under the same id.

;;; Code:

(require 'cl-lib)
(require 'ob)
(require 'ob-ref)
(require 'ob-mesos-task)
(require 'ob-mesos-result)

;;;; Who asks

(defun ob-mesos--references ()
  "How Org has come to resolve references, the innermost call first.
A block that is executed for its own sake begins anew."
  (let (frames)
    (mapbacktrace
     (lambda (_evald function arguments _flags)
       (when (memq function '(org-babel-ref-resolve org-babel-ref-parse
                              org-babel-process-params
                              ob-mesos--execute-anew ob-mesos--presubmit))
         (push (cons function arguments) frames))))
    (setq frames (seq-take-while
                  (lambda (frame)
                    (not (memq (car frame)
                               '(ob-mesos--execute-anew ob-mesos--presubmit))))
                  (nreverse frames)))
    (memq (assq 'org-babel-ref-resolve frames) frames)))

(defvar ob-mesos--element nil
  "While a block or call is executed that was parsed before, that element.")

(defvar ob-mesos--launched nil "The task that was launched last.")

(defun ob-mesos--execute-anew (element info)
  "Execute ELEMENT at point, which Org has INFO of, or nil, for its own sake.
Return its task, or nil if it needs none."
  (let ((ob-mesos--launched nil)
        (ob-mesos--element element)
        (org-babel-current-src-block-location nil))
    (org-babel-execute-src-block nil info)
    ob-mesos--launched))

(defun ob-mesos--asker ()
  "Who wants the value of the block that is being executed.
Return nil if nobody does; (REF . PARAMS) if REF stands in the `:var' of
a block with the header arguments PARAMS; (REF) if it stands elsewhere."
  (pcase (ob-mesos--references)
    (`((,_ ,ref) (org-babel-ref-parse . ,_) (org-babel-process-params ,params) . ,_)
     (cons ref params))
    (`((,_ ,ref) . ,_) (list ref))))

(defun ob-mesos--on-cluster-p (params)
  "Whether a block with PARAMS is of the cluster."
  (equal (cdr (assq :mesos params)) "yes"))

(defvar ob-mesos--chain nil
  "The names of the blocks that wait for each other, the latest first.")

(defun ob-mesos--check-circle (name chain)
  "Signal a `user-error' if NAME is in CHAIN, a list like `ob-mesos--chain'."
  (when (member name chain)
    (user-error "Blocks wait for each other in a circle: %s"
                (string-join
                 (reverse (cons name (seq-take chain
                                               (1+ (seq-position chain name)))))
                 " -> "))))

(defun ob-mesos--entered ()
  "Return \"yes\", unless Org follows references in a circle.
It would do so until Lisp nests too deeply.  This is the default of
`:mesos', and Org calls it whenever it comes to a block."
  (unless ob-mesos--chain
    (let (chain)
      (dolist (frame (reverse (ob-mesos--references)))
        (when (eq (car frame) 'org-babel-ref-resolve)
          (ob-mesos--check-circle (cadr frame) chain)
          (push (cadr frame) chain)))))
  "yes")

(defun ob-mesos--takes-promise-p (asker)
  "Whether ASKER (see `ob-mesos--asker') can wait for a value.
Where `:cache' has Org compare the hash of the header arguments, it cannot."
  (and (ob-mesos--on-cluster-p (cdr asker))
       (not (equal (cdr (assq :cache (cdr asker))) "yes"))))

;;;; Promises

(defun ob-mesos--promise (task ref)
  "Text that stands for the value of TASK which REF asks for.
REF can take a part of it, such as \"table[0,1]\"."
  (format "mesos-value:%s[%s]" (ob-mesos-task-id task)
          (if (and (string-match "\\[\\([^][]+\\)\\]\\'" ref)
                   (= (cl-count ?\( ref :end (match-beginning 0))
                      (cl-count ?\) ref :end (match-beginning 0))))
              (match-string 1 ref)
            "")))

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
  (let ((value (car (ob-mesos--outcome (car promise)))))
    (cond ((and value (symbolp value)) (format "%S" value))
          ((and (cdr promise) (listp value))
           (org-babel-ref-index-list (cdr promise) value))
          (t value))))

(defun ob-mesos--promised-vars (params)
  "The variables of PARAMS that are promises, (NAME . (TASK . INDEX)) each."
  (cl-loop for (name . value) in (org-babel--get-vars params)
           for promise = (ob-mesos--promised value)
           when promise collect (cons name promise)))

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
                     ((or :colname-names :rowname-names)
                      (append value (cdr (assq argument processed))))
                     (_ value))))))

;;;; Order

(defun ob-mesos--after-names (params)
  "The names of the blocks that PARAMS name in `:after' or `:requires'."
  (let ((value (or (cdr (assq :after params)) (cdr (assq :requires params)))))
    (and value (split-string (format "%s" value) "[][(), \t\n]+" t))))

(defvar ob-mesos--named-functions nil
  "Called with the name of a block; the first task that one returns is its.")

(defun ob-mesos--live-task-at (position)
  "The live task of the block or call at POSITION of this buffer, or nil."
  (cl-loop for task being the hash-values of ob-mesos--tasks
           for origin = (ob-mesos-task-origin task)
           when (and origin (not (ob-mesos-task-done task))
                     (eq (marker-buffer origin) (current-buffer))
                     (= origin position))
           return task))

(defun ob-mesos--named-task (name)
  "The task to wait for before a block that comes after the block NAME.
Return nil if that has a result already; execute it if it has none."
  (or (run-hook-with-args-until-success 'ob-mesos--named-functions name)
      (let ((place (org-babel-find-named-block name)))
        (unless place
          (user-error "`:after' names %s, which is no block of this document"
                      name))
        (org-with-point-at place
          (let ((element (org-element-at-point)))
            (goto-char (org-element-property :post-affiliated element))
            (or (ob-mesos--live-task-at (point))
                (unless (org-babel-where-is-src-block-result)
                  (ob-mesos--check-circle name ob-mesos--chain)
                  (let ((ob-mesos--chain (cons name ob-mesos--chain)))
                    (ob-mesos--execute-anew element nil)))))))))

;;;; What a task waits for

(defvar ob-mesos--drafts nil "Tasks that wait for values.")

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
                          (ob-mesos--ids need))))
          (if known
              (setq ids (append ids known))
            (setf (ob-mesos-task-waits task) t)))))
    (when ids
      (setf (ob-mesos-task-block task)
            (plist-put (ob-mesos-task-block task) :after (vconcat ids))))))

(defun ob-mesos--why-not (upstream)
  "Why what needs UPSTREAM, which has failed, is not run."
  (format "The task needs %s, which is %s" (ob-mesos-task-id upstream)
          (ob-mesos-task-state upstream)))

(defun ob-mesos--upstream-ended (upstream)
  "Go on with what has waited for UPSTREAM, which has ended."
  (dolist (task ob-mesos--drafts)
    (when (and (memq upstream (ob-mesos-task-needs task))
               (or (ob-mesos-task-done task)
                   (ob-mesos-task-failed-p upstream)
                   (cl-every #'ob-mesos-task-done (ob-mesos-task-needs task))))
      (setq ob-mesos--drafts (remq task ob-mesos--drafts))
      (cond
       ((ob-mesos-task-done task))
       ((not (ob-mesos-task-failed-p upstream))
        (condition-case err
            (funcall (ob-mesos-task-draft task))
          (error (ob-mesos--give-up task (error-message-string err)))))
       ((ob-mesos-task-waits task)
        (ob-mesos--give-up task (ob-mesos--why-not upstream)))))))

(defun ob-mesos--give-up (task why)
  "End TASK, which cannot be launched, and say WHY."
  (let ((ids (ob-mesos--ids task)))
    (when ids
      (ob-mesos--request (ob-mesos-task-server task) :task/kill
                         (list :ids (vconcat ids)) #'ignore #'ignore)))
  (ob-mesos--refused task why))

(add-hook 'ob-mesos-finished-functions #'ob-mesos--upstream-ended)

(provide 'ob-mesos-flow)
;;; ob-mesos-flow.el ends here
