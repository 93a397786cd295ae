;;; ob-mesos-doctor.el --- Check the installation  -*- lexical-binding: t; -*-

;; Copyright (C) 2026 The ob-mesos contributors
;; SPDX-License-Identifier: GPL-3.0-or-later

;;; Commentary:

;; Checks the installation and shows how to correct each problem.

;;; Code:

(require 'cl-lib)
(require 'ob-mesos-graph)

(defun ob-mesos-doctor--java ()
  "Check the Java; return (STATUS TEXT CURE)."
  (let ((program (executable-find ob-mesos-java)))
    (if (null program)
        (list 'bad (format "Java: there is no program %s" ob-mesos-java)
              "install a JRE, 17 or newer (Debian: apt-get install \
openjdk-17-jre-headless), or set `ob-mesos-java'")
      (let* ((default-directory temporary-file-directory)
             (text (with-temp-buffer
                     (call-process program nil t nil "-version")
                     (buffer-string)))
             (version (and (string-match "version \"\\([0-9]+\\)" text)
                           (string-to-number (match-string 1 text)))))
        (if (and version (>= version 17))
            (list 'good (format "Java: %s, version %d" program version))
          (list 'bad (format "Java: %s has version %s" program (or version "?"))
                "install 17 or newer, or set `ob-mesos-java' to one"))))))

(defun ob-mesos-doctor--jar ()
  "Check the server's jar; return (STATUS TEXT CURE)."
  (if (file-readable-p ob-mesos-server-jar)
      (list 'good (concat "Server: " ob-mesos-server-jar))
    (list 'bad (format "Server: there is no %s" ob-mesos-server-jar)
          "run `M-x ob-mesos-install-server', or `./ob-mesos build' in a checkout")))

(defun ob-mesos-doctor--program (names purpose cure optional)
  "Check that one of the programs NAMES is there; return (STATUS TEXT CURE).
PURPOSE says what for.  With OPTIONAL non-nil it can do without."
  (let ((found (cl-some #'executable-find names)))
    (if found
        (list 'good (format "%s: %s" purpose found))
      (list (if optional 'note 'bad)
            (format "%s: there is no %s" purpose (string-join names " or "))
            cure))))

(defun ob-mesos-doctor--cluster (master)
  "Check MASTER and its agents; return a list of (STATUS TEXT CURE)."
  (condition-case err
      (let* ((server (ob-mesos--server master))
             (deadline (+ (float-time) 10))
             (answer (ob-mesos--call server :agent/list (make-hash-table :size 1))))
        (ob-mesos--wait (lambda () (or (ob-mesos--server-since server)
                                       (> (float-time) deadline))))
        (let ((trouble (ob-mesos--server-trouble server))
              (agents (append (plist-get answer :agents) nil)))
          (list
           (cond (trouble
                  (list 'bad trouble "check `ob-mesos-master', and that a master runs there"))
                 ((ob-mesos--server-since server)
                  (list 'good (format "Master: connected to %s"
                                      (ob-mesos--master-to-show master))))
                 (t (list 'bad (format "Master: no connection to %s yet"
                                       (ob-mesos--master-to-show master))
                          (format "try again later; the log is in the buffer \"%s\""
                                  (buffer-name (ob-mesos--stderr server))))))
           (if agents
               (list 'good (format "Agents: %s"
                                   (mapconcat (lambda (agent)
                                                (plist-get agent :hostname))
                                              agents ", ")))
             (list 'note "Agents: none has made an offer yet"
                   "they make offers when a block wants to run")))))
    (error (list (list 'bad (error-message-string err)
                       "correct the problems above first")))))

(defun ob-mesos-doctor--report ()
  "Return what was checked, (STATUS TEXT CURE) each."
  (let ((master (ob-mesos--document-master))
        (basics (list (ob-mesos-doctor--java) (ob-mesos-doctor--jar))))
    (append
     basics
     (when (equal master "local")
       (list (ob-mesos-doctor--program
              '("perl") "Tasks of the embedded cluster"
              "install Perl (Debian: apt-get install perl-base)" nil)
             (ob-mesos-doctor--program
              '("podman" "docker") "Containers of the embedded cluster"
              "install podman for blocks with `:image'" t)))
     (if (cl-some (lambda (check) (eq (car check) 'bad)) basics)
         (list (list 'note "Master: not checked" "correct the problems above first"))
       (ob-mesos-doctor--cluster master)))))

(defun ob-mesos-doctor ()
  "Check Java, the server, Perl, podman, the master and its agents.
Show each problem and how to correct it."
  (interactive)
  (let ((report (ob-mesos-doctor--report)))
    (with-help-window "*ob-mesos doctor*"
      (princ (format "ob-mesos in Emacs %s with Org %s\n\n" emacs-version
                     (org-version)))
      (pcase-dolist (`(,status ,text ,cure) report)
        (princ (format "%s %s\n" (pcase status ('good "ok  ") ('note "note") (_ "BAD "))
                       text))
        (when cure
          (princ (format "     %s\n" cure)))))))

(provide 'ob-mesos-doctor)
;;; ob-mesos-doctor.el ends here
