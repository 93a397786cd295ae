;;; ob-mesos-tramp.el --- The files of tasks  -*- lexical-binding: t; -*-

;; Copyright (C) 2026 The ob-mesos contributors
;; SPDX-License-Identifier: GPL-3.0-or-later

;;; Commentary:

;; /mesos:TASK:/FILE is a TRAMP file name.  While the task runs, TRAMP
;; connects with a shell of `ob-mesos-exec'; the home directory is the
;; sandbox of the task.  After the task has ended, the files are read-only
;; and are read through the server, until the agent deletes the sandbox; the
;; root directory is then the sandbox, and absolute file names below the
;; former path of the sandbox still work.

;;; Code:

(require 'cl-lib)
(require 'tramp)
(require 'ob-mesos-exec)

(defconst ob-mesos-tramp-method "mesos" "The method of TRAMP.")

(defconst ob-mesos-tramp--piece (* 1024 1024) "How many bytes are read at a time.")

(defvar ob-mesos-tramp--ended (make-hash-table :test #'equal)
  "Whether tasks that this Emacs has not submitted have ended, by id.
A value is t, or the time at which the task had not.")

;;;; A task that runs

(defun ob-mesos-tramp--set-method (server)
  "Let TRAMP log in to tasks by way of SERVER, and others that run."
  (let ((directories
         (delete-dups
          (mapcar #'ob-mesos--server-directory
                  (cons server (ob-mesos--live-servers))))))
    (setf (alist-get ob-mesos-tramp-method tramp-methods nil nil #'equal)
          `((tramp-login-program "perl")
            (tramp-login-args
             ((,(shell-quote-argument
                 (expand-file-name "exec.pl" (car directories))))
              ,@(mapcar (lambda (directory)
                          (list "--directory" (shell-quote-argument directory)))
                        directories)
              ("%h") ("--tty") ("--") ("sh") ("-c")
              (,(shell-quote-argument "HOME=$PWD; export HOME; exec sh"))))
            (tramp-remote-shell "/bin/sh")
            (tramp-remote-shell-args ("-c"))))))

(defun ob-mesos-tramp-enable (server)
  "Make /mesos:TASK:/FILE a file name, for the tasks of SERVER."
  (ob-mesos-tramp--set-method server)
  (unless (rassq #'ob-mesos-tramp--handler tramp-foreign-file-name-handler-alist)
    (tramp-register-foreign-file-name-handler
     #'ob-mesos-tramp--ended-p #'ob-mesos-tramp--handler)))

;;;; A task that has ended

(defun ob-mesos-tramp--ended-p (name)
  "Return non-nil if NAME, a file name or its parts, is of a task that has ended."
  (let ((vec (if (stringp name)
                 (and (string-prefix-p "/mesos:" name)
                      (ignore-errors (tramp-dissect-file-name name)))
               name)))
    (and vec
         (equal ob-mesos-tramp-method (tramp-file-name-method vec))
         (ob-mesos-tramp--task-ended-p (tramp-file-name-host vec)))))

(defun ob-mesos-tramp--task-ended-p (id)
  "Return non-nil if the task ID has ended."
  (let ((task (gethash id ob-mesos--tasks))
        (known (gethash id ob-mesos-tramp--ended)))
    (cond
     (task (ob-mesos-task-terminal-p task))
     ((eq known t))
     ((and known (< (- (float-time) known) 5)) nil)
     ;; This is asked for each operation on a name, and must not start a server.
     ((null (ob-mesos--live-servers)) nil)
     (t
      (let ((ended (condition-case nil
                       (eq t (plist-get (ob-mesos-exec-data (ob-mesos-exec-server id) id)
                                        :terminal))
                     (user-error nil))))
        (puthash id (or ended (float-time)) ob-mesos-tramp--ended)
        ended)))))

(defun ob-mesos-tramp--path (vec)
  "Return the path in the sandbox for the file name with the parts VEC."
  (let ((name (tramp-file-name-localname vec)))
    (string-trim
     (replace-regexp-in-string
      "/+" "/"
      (if (string-match "/executors/[^/]+/runs/[^/]+\\(?:/tasks/[^/]+\\)?\\(?:/\\|\\'\\)"
                        name)
          (substring name (match-end 0))
        (string-remove-prefix "/~" (string-remove-prefix "~" name))))
     "[/.]*/\\|\\.\\'" "/+")))

(defun ob-mesos-tramp--list (vec path)
  "Return the entries of the directory PATH in the sandbox of VEC.
Each is a plist as of the request task/files."
  (with-tramp-file-property vec (concat "/" path) "ob-mesos-files"
    (let ((id (tramp-file-name-host vec)))
      (condition-case err
          (append (plist-get (ob-mesos--call (ob-mesos-exec-server id) :task/files
                                             (list :id id :path path))
                             :files)
                  nil)
        (user-error
         (signal 'file-error (list (format "The sandbox of %s cannot be read: %s" id
                                           (error-message-string err)))))))))

(defun ob-mesos-tramp--entry (vec)
  "Return what is known of the file with the parts VEC, or nil."
  (let ((path (ob-mesos-tramp--path vec)))
    (if (string-empty-p path)
        (if (ob-mesos-tramp--list vec "")
            (list :path "" :directory t :size 0 :modified 0)
          (signal 'file-error
                  (list (format "%s has no sandbox: it has not run, or its files were deleted"
                                (tramp-file-name-host vec)))))
      (cl-find path
               (ob-mesos-tramp--list
                vec (directory-file-name (or (file-name-directory path) "")))
               :test #'equal :key (lambda (entry) (plist-get entry :path))))))

(defun ob-mesos-tramp--directory-p (entry)
  "Return non-nil if ENTRY is a directory."
  (eq t (plist-get entry :directory)))

(defun ob-mesos-tramp--file-attributes (name &optional _id-format)
  "Return the attributes of the file NAME, as `file-attributes' does."
  (when-let ((entry (ob-mesos-tramp--entry (tramp-dissect-file-name
                                            (expand-file-name name)))))
    (let ((time (seconds-to-time (/ (or (plist-get entry :modified) 0) 1000.0)))
          (directory (ob-mesos-tramp--directory-p entry)))
      (list directory 1 0 0 time time time (plist-get entry :size)
            (if directory "dr-xr-xr-x" "-r--r--r--") t 0 0))))

(defun ob-mesos-tramp--file-symlink-p (name)
  "Return the target of the link NAME, or nil if NAME is no link."
  (plist-get (ob-mesos-tramp--entry (tramp-dissect-file-name (expand-file-name name)))
             :link))

(defun ob-mesos-tramp--file-name-all-completions (name directory)
  "Return the names in DIRECTORY that begin with NAME."
  (let* ((vec (tramp-dissect-file-name (expand-file-name directory)))
         (names (mapcar (lambda (entry)
                          (concat (file-name-nondirectory (plist-get entry :path))
                                  (and (ob-mesos-tramp--directory-p entry) "/")))
                        (ob-mesos-tramp--list vec (ob-mesos-tramp--path vec)))))
    (all-completions name (append '("./" "../") names))))

(defun ob-mesos-tramp--directory-files (directory &optional full match nosort count)
  "Return the names of the files in DIRECTORY.
FULL, MATCH, NOSORT and COUNT are as for `directory-files'."
  (let ((names (mapcar #'directory-file-name
                       (ob-mesos-tramp--file-name-all-completions "" directory))))
    (when match
      (setq names (cl-remove-if-not (lambda (name) (string-match-p match name)) names)))
    (unless nosort
      (setq names (sort names #'string<)))
    (when full
      (setq names (mapcar (lambda (name)
                            (concat (file-name-as-directory (expand-file-name directory))
                                    name))
                          names)))
    (if count (seq-take names count) names)))

(defun ob-mesos-tramp--file-local-copy (name)
  "Copy the file NAME to this machine; return the name of the copy."
  (let* ((vec (tramp-dissect-file-name (expand-file-name name)))
         (id (tramp-file-name-host vec))
         (entry (ob-mesos-tramp--entry vec))
         (copy (tramp-compat-make-temp-file name))
         (offset 0)
         (size 1))
    (unless (and entry (not (ob-mesos-tramp--directory-p entry)))
      (signal 'file-missing (list "Opening input file" "No such file" name)))
    (while (< offset size)
      (let* ((answer (ob-mesos--call (ob-mesos-exec-server id) :task/read
                                     (list :id id :path (plist-get entry :path)
                                           :offset offset
                                           :length ob-mesos-tramp--piece)))
             (bytes (base64-decode-string (plist-get answer :data)))
             (coding-system-for-write 'no-conversion))
        (write-region bytes nil copy (> offset 0) 'silent)
        (setq offset (+ offset (length bytes))
              size (if (string-empty-p bytes) offset (plist-get answer :size)))))
    copy))

(defun ob-mesos-tramp--copy-file (name new-name &optional ok-if-already-exists &rest _)
  "Copy the file NAME to NEW-NAME.
OK-IF-ALREADY-EXISTS is as for `copy-file'."
  (let ((target (expand-file-name (if (directory-name-p new-name)
                                      (concat new-name (file-name-nondirectory name))
                                    new-name))))
    (when (ob-mesos-tramp--ended-p target)
      (ob-mesos-tramp--read-only))
    (rename-file (ob-mesos-tramp--file-local-copy name) target ok-if-already-exists)))

(defun ob-mesos-tramp--read-only (&rest _)
  "Signal that the task has ended."
  (signal 'file-error (list "The task has ended; its files can only be read")))

(defconst ob-mesos-tramp--handler-alist
  `((access-file . tramp-handle-access-file)
    (copy-directory . tramp-handle-copy-directory)
    (copy-file . ob-mesos-tramp--copy-file)
    (directory-file-name . tramp-handle-directory-file-name)
    (directory-files . ob-mesos-tramp--directory-files)
    (directory-files-and-attributes . tramp-handle-directory-files-and-attributes)
    (dired-uncache . tramp-handle-dired-uncache)
    (exec-path . ignore)
    (expand-file-name . tramp-handle-expand-file-name)
    (file-accessible-directory-p . tramp-handle-file-directory-p)
    (file-acl . ignore)
    (file-attributes . ob-mesos-tramp--file-attributes)
    (file-directory-p . tramp-handle-file-directory-p)
    (file-equal-p . tramp-handle-file-equal-p)
    (file-executable-p . tramp-handle-file-directory-p)
    (file-exists-p . tramp-handle-file-exists-p)
    (file-in-directory-p . tramp-handle-file-in-directory-p)
    (file-local-copy . ob-mesos-tramp--file-local-copy)
    (file-locked-p . ignore)
    (file-modes . tramp-handle-file-modes)
    (file-name-all-completions . ob-mesos-tramp--file-name-all-completions)
    (file-name-as-directory . tramp-handle-file-name-as-directory)
    (file-name-case-insensitive-p . ignore)
    (file-name-completion . tramp-handle-file-name-completion)
    (file-name-directory . tramp-handle-file-name-directory)
    (file-name-nondirectory . tramp-handle-file-name-nondirectory)
    (file-newer-than-file-p . tramp-handle-file-newer-than-file-p)
    (file-notify-add-watch . tramp-handle-file-notify-add-watch)
    (file-notify-rm-watch . tramp-handle-file-notify-rm-watch)
    (file-notify-valid-p . tramp-handle-file-notify-valid-p)
    (file-ownership-preserved-p . ignore)
    (file-readable-p . tramp-handle-file-exists-p)
    (file-regular-p . tramp-handle-file-regular-p)
    (file-remote-p . tramp-handle-file-remote-p)
    (file-selinux-context . ignore)
    (file-symlink-p . ob-mesos-tramp--file-symlink-p)
    (file-system-info . ignore)
    (file-truename . identity)
    (file-writable-p . ignore)
    (find-backup-file-name . ignore)
    (insert-directory . tramp-handle-insert-directory)
    (insert-file-contents . tramp-handle-insert-file-contents)
    (lock-file . ignore)
    (make-auto-save-file-name . ignore)
    (make-lock-file-name . ignore)
    (unlock-file . ignore)
    (set-visited-file-modtime . ignore)
    (substitute-in-file-name . tramp-handle-substitute-in-file-name)
    (temporary-file-directory . tramp-handle-temporary-file-directory)
    (unhandled-file-name-directory . ignore)
    (vc-registered . ignore)
    (verify-visited-file-modtime . always)
    ,@(mapcar (lambda (operation) (cons operation #'ob-mesos-tramp--read-only))
              '(add-name-to-file delete-directory delete-file make-directory
                make-nearby-temp-file make-symbolic-link rename-file
                set-file-modes set-file-times write-region
                make-process process-file shell-command start-file-process)))
  "The operations on the files of a task that has ended.")

(defun ob-mesos-tramp--handler (operation &rest arguments)
  "Do OPERATION with ARGUMENTS on the files of a task that has ended."
  (if-let ((function (alist-get operation ob-mesos-tramp--handler-alist)))
      (save-match-data (apply function arguments))
    (tramp-run-real-handler operation arguments)))

(provide 'ob-mesos-tramp)
;;; ob-mesos-tramp.el ends here
