;;; ob-mesos-install.el --- The server's jar  -*- lexical-binding: t; -*-

;; Copyright (C) 2026 The ob-mesos contributors
;; SPDX-License-Identifier: GPL-3.0-or-later

;;; Commentary:

;; Installs the jar of the server if the package contains only the Emacs
;; Lisp: copies it from another package, or builds a checkout with Maven.

;;; Code:

(require 'ob-mesos-rpc)

(defun ob-mesos-install-server (source)
  "Install the jar of the server from SOURCE into the directory of ob-mesos.
SOURCE is a jar, a tar that `./ob-mesos package' has written, or a
checkout.  In a checkout without a jar, Maven builds the jar first."
  (interactive "fJar, tar or checkout of ob-mesos: ")
  (let ((source (expand-file-name source))
        (target (expand-file-name "ob-mesos-server.jar" ob-mesos--directory)))
    (cond
     ((file-directory-p source)
      (let ((jar (expand-file-name "server/target/ob-mesos-server.jar" source)))
        (unless (file-exists-p jar)
          (ob-mesos-install--run source (expand-file-name "ob-mesos" source) "build"))
        (copy-file jar target t)))
     ((string-match-p "\\.jar\\'" source) (copy-file source target t))
     ((string-match-p "\\.tar\\'" source)
      (let ((directory (make-temp-file "ob-mesos" t)))
        (unwind-protect
            (progn
              (ob-mesos-install--run directory "tar" "-xf" source "--wildcards"
                                     "*/ob-mesos-server.jar")
              (copy-file (car (directory-files-recursively
                               directory "\\`ob-mesos-server\\.jar\\'"))
                         target t))
          (delete-directory directory t))))
     (t (user-error "%s is no jar, tar or checkout" source)))
    (setq ob-mesos-server-jar target)
    (message "ob-mesos: the server is %s" target)))

(defun ob-mesos-install--run (directory program &rest arguments)
  "Run PROGRAM with ARGUMENTS in DIRECTORY; signal a `user-error' if it fails."
  (with-temp-buffer
    (let* ((default-directory (file-name-as-directory directory))
           (status (apply #'call-process program nil t nil arguments)))
      (unless (equal status 0)
        (user-error "%s has failed: %s" program
                    (string-trim (buffer-substring (max (point-min) (- (point-max) 500))
                                                   (point-max))))))))

(provide 'ob-mesos-install)
;;; ob-mesos-install.el ends here
