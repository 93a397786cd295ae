;;; ob-mesos-file.el --- The files of a back end  -*- lexical-binding: t; -*-

;; Copyright (C) 2026 The ob-mesos contributors
;; SPDX-License-Identifier: GPL-3.0-or-later

;;; Commentary:

;; A file-name handler for the directory "/mesos:/", in which Babel's back
;; ends are called.  With this `default-directory', `process-file' and the
;; temporary files of a back end use the handler, as with `:dir /ssh:host:'.
;; The files are in memory.  The first process that a back end starts is not
;; run: the handler records its command, its input and the files, or returns
;; the output of a task as the output of the process.

;;; Code:

(require 'cl-lib)

(cl-defstruct (ob-mesos-file (:constructor ob-mesos-file--make) (:copier nil))
  "What a back end has done in the directory of ours."
  (command nil :documentation "The shell command of its process, or nil.")
  (input "" :documentation "The standard input of that.")
  (files nil :documentation "The files it wrote, (LOCAL-NAME . TEXT) each.")
  (output nil :documentation "The output that stands in for a process, or nil.")
  (processes 0 :documentation "How many processes it has started."))

(defconst ob-mesos-file--prefix "/mesos:" "What the names of our files begin with.")

(defconst ob-mesos-file-directory "/tmp/"
  "The directory in which back ends are called, as a process would see it.")

(defvar ob-mesos-file--session nil
  "The `ob-mesos-file' of the back end that is called, or nil.")

(defun ob-mesos-file--call (session function)
  "Call FUNCTION in our directory, with SESSION."
  (let ((ob-mesos-file--session session)
        (default-directory (concat ob-mesos-file--prefix ob-mesos-file-directory))
        (entry (cons (concat "\\`" ob-mesos-file--prefix) #'ob-mesos-file--handler)))
    ;; The variable is not bound: what TRAMP adds when it is loaded meanwhile
    ;; would be lost.
    (push entry file-name-handler-alist)
    (unwind-protect
        (funcall function)
      (setq file-name-handler-alist (delq entry file-name-handler-alist))
      ;; Nothing can be found there any more.
      (dolist (buffer (buffer-list))
        (with-current-buffer buffer
          (when (string-prefix-p (concat ob-mesos-file--prefix "/") default-directory)
            (setq default-directory temporary-file-directory)))))))

(defun ob-mesos-file-capture (function)
  "Call FUNCTION up to its first process; return the `ob-mesos-file'.
Return nil if it starts none."
  (let ((session (ob-mesos-file--make)))
    (catch session
      (ob-mesos-file--call session function)
      nil)))

(defun ob-mesos-file-replay (output function)
  "Call FUNCTION with OUTPUT in place of that of its process; return its value.
OUTPUT is also what is in the file that it leaves empty for its value."
  (let ((session (ob-mesos-file--make :output output)))
    (ob-mesos-file--call session function)))

(defun ob-mesos-file-processes-of (function)
  "Return the number of processes of FUNCTION, all of them without output.
What it makes of that, be it an error, does not matter."
  (let ((session (ob-mesos-file--make :output "")))
    (ignore-errors
      (ob-mesos-file--call session function))
    (ob-mesos-file-processes session)))

;;;; The handler

(defun ob-mesos-file--local (name)
  "Return NAME, a file name of ours or a relative one, without our prefix."
  (let ((full (if (string-prefix-p "/" name) name
                (concat default-directory name))))
    (if (string-prefix-p ob-mesos-file--prefix full)
        (substring full (length ob-mesos-file--prefix))
      full)))

(defun ob-mesos-file--handler (operation &rest arguments)
  "Handle OPERATION with ARGUMENTS on files of ours.
Operations on names are those of local names; those on files are done in
memory, and any other signals a `file-error'."
  (let ((function (intern (format "ob-mesos-file--%s" operation))))
    (cond
     ((fboundp function)
      (apply function arguments))
     ((memq operation '(file-name-directory file-name-nondirectory
                        file-name-as-directory directory-file-name
                        file-name-sans-versions file-name-completion
                        file-name-all-completions substitute-in-file-name))
      (let* ((inhibit-file-name-handlers
              (cons #'ob-mesos-file--handler
                    (and (eq inhibit-file-name-operation operation)
                         inhibit-file-name-handlers)))
             (inhibit-file-name-operation operation))
        (apply operation arguments)))
     ((memq operation '(file-exists-p file-readable-p file-regular-p))
      (and (assoc (ob-mesos-file--local (car arguments))
                  (ob-mesos-file-files ob-mesos-file--session))
           t))
     ((memq operation '(file-directory-p file-accessible-directory-p))
      (string-suffix-p "/" (car arguments)))
     ((memq operation '(file-executable-p file-writable-p)) t)
     ((memq operation '(file-symlink-p file-selinux-context file-acl file-modes
                        vc-registered get-file-buffer))
      nil)
     ((memq operation '(set-file-modes set-file-times make-directory
                        set-visited-file-modtime verify-visited-file-modtime))
      t)
     (t (signal 'file-error
                (list "This cannot be done where a block of the cluster is expanded"
                      operation))))))

(defun ob-mesos-file--file-remote-p (name &optional identification _connected)
  "Return the part IDENTIFICATION of NAME, as `file-remote-p' does."
  (pcase identification
    ('localname (ob-mesos-file--local name))
    ('method "mesos")
    ((or 'user 'host 'hop) "")
    (_ ob-mesos-file--prefix)))

(defun ob-mesos-file--expand-file-name (name &optional directory)
  "Expand NAME in DIRECTORY, as `expand-file-name' does."
  (let ((directory (or directory default-directory)))
    (cond ((string-prefix-p ob-mesos-file--prefix name)
           (concat ob-mesos-file--prefix
                   (expand-file-name (substring name (length ob-mesos-file--prefix))
                                     "/")))
          ((file-name-absolute-p name) (expand-file-name name "/"))
          (t (concat ob-mesos-file--prefix
                     (expand-file-name name (ob-mesos-file--local directory)))))))

(defun ob-mesos-file--file-attributes (name &rest _)
  "Return the attributes of the file NAME, of which the size is right."
  (when-let ((file (assoc (ob-mesos-file--local name)
                          (ob-mesos-file-files ob-mesos-file--session))))
    (list nil 1 0 0 '(0 0) '(0 0) '(0 0) (string-bytes (cdr file))
          "-rw-------" nil 0 0)))

(defun ob-mesos-file--file-truename (name &rest _)
  "Return NAME."
  name)

(defun ob-mesos-file--directory-files (directory &optional full match &rest _)
  "Return the names of the files of ours in DIRECTORY that MATCH, or FULL names."
  (let ((local (file-name-as-directory (ob-mesos-file--local directory))))
    (cl-loop for (name . _) in (ob-mesos-file-files ob-mesos-file--session)
             for short = (file-name-nondirectory name)
             when (and (equal local (file-name-directory name))
                       (or (null match) (string-match-p match short)))
             collect (if full (concat ob-mesos-file--prefix name) short))))

(defun ob-mesos-file--temporary-file-directory ()
  "Return our directory."
  (concat ob-mesos-file--prefix "/tmp/"))

(defun ob-mesos-file--make-nearby-temp-file (prefix &optional directory suffix)
  "Make a file of ours with PREFIX and SUFFIX; a DIRECTORY cannot be made."
  (when directory
    (signal 'file-error (list "No directory can be made here" prefix)))
  (let ((name (format "%s/tmp/%s%d%s" ob-mesos-file--prefix
                      (file-name-nondirectory prefix)
                      (length (ob-mesos-file-files ob-mesos-file--session))
                      (or suffix ""))))
    (ob-mesos-file--put name "")
    name))

(defun ob-mesos-file--put (name text)
  "Make TEXT the contents of the file NAME."
  (let ((local (ob-mesos-file--local name)))
    (setf (alist-get local (ob-mesos-file-files ob-mesos-file--session)
                     nil nil #'equal)
          text)))

(defun ob-mesos-file--write-region (start end name &optional append &rest _)
  "Write what is from START to END into the file NAME, or APPEND it.
See `write-region'."
  (let ((text (cond ((stringp start) start)
                    ((null start) (buffer-string))
                    (t (buffer-substring-no-properties start end)))))
    (ob-mesos-file--put name (concat (and append (ob-mesos-file--text name)) text))
    nil))

(defun ob-mesos-file--text (name)
  "Return the contents of the file NAME."
  (let ((file (assoc (ob-mesos-file--local name)
                     (ob-mesos-file-files ob-mesos-file--session))))
    (unless file
      (signal 'file-missing (list "Opening input file" "No such file" name)))
    (cdr file)))

(defun ob-mesos-file--insert-file-contents (name &optional _visit beg end replace)
  "Insert the contents of the file NAME, from BEG to END.
With REPLACE, replace the accessible portion of the buffer."
  (let* ((text (ob-mesos-file--text name))
         (part (substring text (or beg 0) (and end (min end (length text))))))
    (when replace (erase-buffer))
    (save-excursion (insert part))
    (list name (length part))))

(defun ob-mesos-file--file-local-copy (name)
  "Return a copy of the file NAME on this machine."
  (let ((copy (make-temp-file "ob-mesos-"))
        (coding-system-for-write 'utf-8))
    (write-region (ob-mesos-file--text name) nil copy nil 'silent)
    copy))

(defun ob-mesos-file--delete-file (name &rest _)
  "Delete the file NAME, so far as a back end can tell."
  (ignore name))

(defun ob-mesos-file--process-file (program &optional input buffer _display &rest arguments)
  "Take down what `process-file' would start, or put an output in its place.
PROGRAM, INPUT, BUFFER and ARGUMENTS are as there."
  (let ((session ob-mesos-file--session)
        (output (ob-mesos-file-output ob-mesos-file--session)))
    (cl-incf (ob-mesos-file-processes session))
    (if (null output)
        (progn
          (setf (ob-mesos-file-command session)
                (if (and (equal 2 (length arguments))
                         (string-match-p "\\`-" (car arguments)))
                    (cadr arguments)
                  (mapconcat #'shell-quote-argument (cons program arguments) " "))
                (ob-mesos-file-input session)
                (if input (ob-mesos-file--text input) ""))
          (throw session session))
      ;; An empty file is where the process is to write its value, unless it is
      ;; that for stderr: Org shows this in a window.
      (let ((errors (car-safe (cdr-safe buffer))))
        (dolist (file (ob-mesos-file-files session))
          (when (and (string-empty-p (cdr file))
                     (not (and (stringp errors)
                               (equal (car file) (ob-mesos-file--local errors)))))
            (setcdr file output))))
      (let ((target (if (consp buffer) (car buffer) buffer)))
        (pcase target
          ('t (insert output))
          ((or (pred bufferp) (pred stringp))
           (with-current-buffer (get-buffer-create target) (insert output)))))
      0)))

(defun ob-mesos-file--shell-command (command &optional output &rest _)
  "Take down COMMAND, or put an output into OUTPUT in its place."
  (ob-mesos-file--process-file shell-file-name nil output nil
                               shell-command-switch command))

(provide 'ob-mesos-file)
;;; ob-mesos-file.el ends here
