;;; ob-mesos-fetch.el --- Files that tasks have made  -*- lexical-binding: t; -*-

;; Copyright (C) 2026 The ob-mesos contributors
;; SPDX-License-Identifier: GPL-3.0-or-later

;;; Commentary:

;; Copies files from the sandbox of an ended task to the directory of the
;; document, before the result of the task is inserted.

;;; Code:

(require 'cl-lib)
(require 'ob)
(require 'ob-mesos-args)
(require 'ob-mesos-task)

(defconst ob-mesos--piece (* 1024 1024)
  "How many bytes to read at a time; more the server does not give.")

(defun ob-mesos--wanted-files (params)
  "Return the files to bring from the sandbox of a task with PARAMS.
Each is (NAME . NEEDED); one that is not NEEDED may be missing."
  (let* ((result-params (cdr (assq :result-params params)))
         (file (ob-mesos--result-file params))
         (more (cdr (assq :fetch params)))
         (needed (or (member "link" result-params)
                     (member "graphics" result-params))))
    (append
     (and (stringp file)
          ;; What is elsewhere is written there, if it is.
          (ob-mesos--below-p file)
          (or needed (not (ob-mesos--outside-p params)))
          (list (cons file needed)))
     (mapcar (lambda (name) (cons (format "%s" name) t))
             (ob-mesos--words "fetch" more)))))

(defun ob-mesos--outside-p (params)
  "Return non-nil if a block with PARAMS does not run in the sandbox.
The files of a session are copied to the sandbox itself."
  (let ((dir (cdr (assq :dir params))))
    (and (stringp dir)
         (string-match-p "\\`[/~]" dir)
         (not (ob-mesos--session params)))))

(defun ob-mesos--check-wanted-files (params)
  "Signal a `user-error' if files of a block with PARAMS cannot be copied."
  (when-let ((file (and (ob-mesos--outside-p params)
                        (car (cl-find-if #'cdr (ob-mesos--wanted-files params))))))
    (user-error "%s cannot be copied: `:dir', %s, is not in the sandbox"
                file (cdr (assq :dir params)))))

(defun ob-mesos--below-p (name)
  "Return non-nil if the file NAME is below the directory it is relative to."
  (not (or (file-name-absolute-p name)
           (string-match-p "\\`\\.\\.\\(?:/\\|\\'\\)"
                           (file-relative-name (expand-file-name name "/x/") "/x/")))))

(defun ob-mesos--target (task name)
  "The file to write for the file NAME of TASK.
Members of a group would overwrite each other's; theirs have a number."
  (let ((group (ob-mesos-task-group task)))
    (expand-file-name
     (if group
         (format "%s-%d%s" (file-name-sans-extension name)
                 (seq-position (ob-mesos-task-members group) task #'eq)
                 (file-name-extension name t))
       name)
     (ob-mesos-task-directory task))))

(defun ob-mesos--in-sandbox (task name)
  "Where the file NAME of TASK is in its sandbox."
  (let* ((block (ob-mesos-task-block task))
         ;; The files of a session are copied to the sandbox itself.
         (dir (and (not (plist-get block :session)) (plist-get block :directory)))
         (path (if (or (member dir '(nil "")) (file-name-absolute-p name))
                   name
                 (concat (file-name-as-directory dir) name))))
    (if (ob-mesos--below-p path)
        ;; As the server has it, without \".\" and \"..\".
        (substring (expand-file-name (concat "/" path)) 1)
      path)))

(defun ob-mesos--fetch (task files done)
  "Bring FILES, (NAME . NEEDED) each, of TASK and call DONE.
DONE gets nil, or a sentence on what is missing."
  (if (null files)
      (funcall done nil)
    (pcase-let* ((`((,name . ,needed) . ,rest) files)
                 (path (ob-mesos--in-sandbox task name)))
      (ob-mesos--find-file
       task path
       (lambda (there)
         (cond
          (there
           (ob-mesos--fetch-pieces
            task path 0 nil
            (lambda (bytes)
              (let ((problem (ob-mesos--write-bytes
                              bytes (ob-mesos--target task name))))
                (if problem
                    (funcall done problem)
                  (push name (ob-mesos-task-fetched task))
                  (ob-mesos--fetch task rest done))))
            done))
          (needed (funcall done (format "It has made no file %s" name)))
          (t (ob-mesos--fetch task rest done))))
       done))))

(defun ob-mesos--write-bytes (bytes file)
  "Write BYTES into FILE; return nil, or why that cannot be done."
  (condition-case err
      (let ((coding-system-for-write 'no-conversion))
        (make-directory (file-name-directory file) t)
        (write-region bytes nil file nil 'silent)
        nil)
    (file-error (error-message-string err))))

(defun ob-mesos--fetch-output (task done)
  "Read all output of TASK and call DONE, as `ob-mesos--fetch' does."
  (ob-mesos--fetch-pieces task "stdout" 0 nil
                          (lambda (bytes)
                            (setf (ob-mesos-task-output task) bytes)
                            (funcall done nil))
                          done))

(defun ob-mesos--find-file (task path found failed)
  "Call FOUND with whether TASK has a file PATH; call FAILED with what is wrong."
  (ob-mesos--request
   (ob-mesos-task-server task) :task/files
   (list :id (ob-mesos-task-id task)
         :path (directory-file-name (or (file-name-directory path) "")))
   (lambda (result)
     (funcall found
              (cl-find-if (lambda (file)
                            (and (equal path (plist-get file :path))
                                 (not (eq t (plist-get file :directory)))))
                          (plist-get result :files))))
   failed))

(defun ob-mesos--fetch-pieces (task path offset pieces done failed)
  "Read the file PATH of TASK from OFFSET on, after PIECES, the latest first.
Call DONE with all of it, or FAILED with what is wrong."
  (ob-mesos--request
   (ob-mesos-task-server task) :task/read
   (list :id (ob-mesos-task-id task) :path path
         :offset offset :length ob-mesos--piece)
   (lambda (result)
     (let* ((bytes (base64-decode-string (plist-get result :data)))
            (pieces (cons bytes pieces))
            (end (+ offset (length bytes))))
       (if (or (string-empty-p bytes) (>= end (plist-get result :size)))
           (funcall done (apply #'concat (nreverse pieces)))
         (ob-mesos--fetch-pieces task path end pieces done failed))))
   failed))

(provide 'ob-mesos-fetch)
;;; ob-mesos-fetch.el ends here
