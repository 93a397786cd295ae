;;; ob-mesos-adopt.el --- Tasks of an Emacs that is gone  -*- lexical-binding: t; -*-

;; Copyright (C) 2026 The ob-mesos contributors
;; SPDX-License-Identifier: GPL-3.0-or-later

;;; Commentary:

;; A task that waits for values can outlive the Emacs that would have given
;; it its body.  The next one finds the block again by the placeholder, and
;; the tasks it refers to by the names of their blocks, and goes on.

;;; Code:

(require 'cl-lib)
(require 'org-element)
(require 'ob-mesos-submit)

(defun ob-mesos--adopt-upstream (data master)
  "Know the task that DATA of the server of MASTER is about, and its block's name.
Return (NAME . TASK)."
  (let* ((id (plist-get data :id))
         (name (plist-get data :name))
         (task (or (gethash id ob-mesos--tasks)
                   (puthash id (ob-mesos-task--make :id id :master master)
                            ob-mesos--tasks)))
         (place (org-babel-find-named-block name)))
    (unless (or (ob-mesos-task-params task) (null place))
      (ob-mesos--remember task (ob-mesos--info-at place))
      (setf (ob-mesos-task-data task) data)
      (when (ob-mesos--waits-for-body-p data)
        (ob-mesos--adopt task (copy-marker place))))
    (ob-mesos--later #'run-hook-with-args 'ob-mesos-status-functions data)
    (cons name task)))

(defun ob-mesos--waits-for-body-p (data)
  "Whether the task that DATA is about waits for what it is to run."
  (and (eq t (plist-get data :bodyLater))
       (equal "QUEUED" (plist-get data :state))))

(defun ob-mesos--adopt (task marker)
  "Find out from the block or call at MARKER what TASK is to run.
It waits for its values, and the Emacs that has submitted it is gone."
  (ob-mesos--request
   (ob-mesos-task-server task) :task/get
   (list :ids (plist-get (ob-mesos-task-data task) :after))
   (lambda (result)
     (ob-mesos--adopt-with task marker
                           (append (plist-get result :tasks) nil)))))

(defun ob-mesos--adopt-with (task marker upstream)
  "Make the draft of TASK, whose block or call is at MARKER.
It waits for UPSTREAM, which is what the server says of other tasks."
  (when (and (marker-buffer marker) (null (ob-mesos-task-draft task)))
    (with-current-buffer (marker-buffer marker)
      (let ((info (ob-mesos--info-at marker))
            (known (mapcar (lambda (data)
                             (ob-mesos--adopt-upstream
                              data (ob-mesos-task-master task)))
                           upstream)))
        (setf (ob-mesos-task-lang task) (nth 0 info)
              (ob-mesos-task-source task) (nth 1 info)
              (ob-mesos-task-needs task) (mapcar #'cdr known)
              (ob-mesos-task-block task)
              (append (list :id (ob-mesos-task-id task)
                            :name (or (nth 4 info) "")
                            :directory (or (cdr (assq :dir (nth 2 info))) ""))
                      (ob-mesos--resources (nth 2 info)))
              (ob-mesos-task-params task)
              (org-babel-process-params
               (mapcar (lambda (argument)
                         (ob-mesos--promise-known argument known))
                       (nth 2 info))))
        (ob-mesos--prepare task (org-babel--expand-body info))
        (if (ob-mesos-task-draft task)
            (push task ob-mesos--drafts)
          (ob-mesos--submit (list task)))))))

(defun ob-mesos--tell-secrets (task)
  "Tell the server of TASK the secrets that its block names.
It was submitted by an Emacs that is gone, and they are kept nowhere."
  (ob-mesos--recall task)
  (when-let ((secrets (ob-mesos--argument-named 'secret
                                                (ob-mesos-task-params task))))
    (ob-mesos--request (ob-mesos-task-server task) :task/submit
                       (list :blocks (vector (list :id (ob-mesos-task-id task)
                                                   :body "-" :secrets secrets)))
                       #'ignore)))

(defun ob-mesos--promise-known (argument known)
  "ARGUMENT of a header, with a promise if it refers to a task of KNOWN.
KNOWN is a list of (NAME . TASK)."
  (pcase argument
    (`(:var . ,(and (pred stringp)
                    (rx string-start (let name (+ (not (any "= ")))) (* " ") "="
                        (* " ") (let ref (+ anything)) string-end)))
     (if-let ((task (and (string-match "\\`[^][(]+" ref)
                         (cdr (assoc (match-string 0 ref) known)))))
         (cons :var (cons (intern name) (ob-mesos--promise task ref)))
       argument))
    (_ argument)))

(defun ob-mesos--adopt-if-needed (data)
  "Adopt the task that DATA is about if it waits for what nobody here knows."
  (when (ob-mesos--waits-for-body-p data)
    (let* ((task (gethash (plist-get data :id) ob-mesos--tasks))
           (place (and task (null (ob-mesos-task-source task))
                       (ob-mesos--place task))))
      (when place
        (with-current-buffer (car place)
          (when-let ((origin (org-with-wide-buffer
                              (ob-mesos--origin task (cdr place)))))
            (setf (ob-mesos-task-source task) "")
            (ob-mesos--adopt task (copy-marker origin))))))))

(defun ob-mesos--tell-secrets-if-needed (data)
  "Tell the secrets of the task that DATA is about if it waits for them."
  (when (and (eq t (plist-get data :secrets))
             (equal "QUEUED" (plist-get data :state)))
    (let ((task (gethash (plist-get data :id) ob-mesos--tasks)))
      (when (and task (null (ob-mesos-task-block task))
                 (null (ob-mesos-task-params task)))
        (ob-mesos--tell-secrets task)))))

(add-hook 'ob-mesos-status-functions #'ob-mesos--adopt-if-needed 90)
(add-hook 'ob-mesos-status-functions #'ob-mesos--tell-secrets-if-needed 90)

(provide 'ob-mesos-adopt)
;;; ob-mesos-adopt.el ends here
