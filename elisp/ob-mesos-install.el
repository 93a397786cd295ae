;;; ob-mesos-install.el --- The server's jar  -*- lexical-binding: t; -*-

;; Copyright (C) 2026 The ob-mesos contributors
;; SPDX-License-Identifier: GPL-3.0-or-later

;;; Commentary:

;; A package that has only the Emacs Lisp needs the server's jar: it is taken
;; from a package that has it, or built by Maven from a checkout.

;;; Code:

(require 'ob-mesos-rpc)

(defun ob-mesos-install-server (source)
  "Put the server's jar, from SOURCE, where the other files of ob-mesos are.
SOURCE is a jar, a package of `./ob-mesos package' (a tar), or a checkout,
where Maven builds the jar if it is not built."
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
