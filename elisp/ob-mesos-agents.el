;;; ob-mesos-agents.el --- The lists of agents and offers  -*- lexical-binding: t; -*-

;; Copyright (C) 2026 The ob-mesos contributors
;; SPDX-License-Identifier: GPL-3.0-or-later

;;; Commentary:

;; Lists of the agents, with their last offers, tasks and machine metrics,
;; and of the last offers, with the server's answers.

;;; Code:

(require 'cl-lib)
(require 'tabulated-list)
(require 'ob-mesos-list)

(define-derived-mode ob-mesos-agents-mode tabulated-list-mode "Agents"
  "Major mode for the list of agents of the connected clusters.
Cpus, memory, disk and GPUs are those of the last offer of the agent.
The other columns are metrics of its machine: the load average of the
last minute, the free memory, the used disk space, and the bytes received
and sent."
  (setq tabulated-list-format
        [("Agent" 24 t) ("Cpus" 6 ob-mesos-agents--fewer-cpus-p) ("Mem" 8 nil)
         ("Disk" 8 nil) ("Gpus" 5 nil) ("Tasks" 6 ob-mesos-agents--fewer-tasks-p)
         ("Load" 6 ob-mesos-agents--less-load-p) ("Mem free" 14 nil)
         ("Disk used" 14 nil) ("In" 7 nil) ("Out" 7 nil) ("Master" 16 t)
         ("Attributes" 30 nil) ("Id" 40 nil)]
        tabulated-list-padding 1)
  (tabulated-list-init-header)
  (add-hook 'tabulated-list-revert-hook #'ob-mesos-agents--ask nil t))

(defun ob-mesos-agents ()
  "List the agents of the connected clusters, with the last offer of each.
An agent that has not made an offer yet is not in the list."
  (interactive)
  (ob-mesos-list--open "*ob-mesos agents*" #'ob-mesos-agents-mode)
  (ob-mesos-agents--ask))

(defun ob-mesos-agents--ask ()
  "Ask all servers that run for their agents and show them when they come."
  (ob-mesos-agents--fill
   :agent/list
   (lambda (server answer)
     (mapcar (lambda (agent)
               (list (plist-get agent :id) (ob-mesos-agents--row server agent)))
             (plist-get answer :agents)))))

(defvar-local ob-mesos-agents--round 0 "How often this list was asked for.")

(defun ob-mesos-agents--fill (method entries)
  "Ask all servers that run METHOD and show in this buffer what they answer.
ENTRIES is called with each server and its answer and returns entries.
Answers to an earlier question are ignored."
  (let ((buffer (current-buffer))
        (round (cl-incf ob-mesos-agents--round)))
    (setq tabulated-list-entries nil)
    (ob-mesos-list--ask-all
     method
     (lambda (server answer)
       (ob-mesos--with-live-buffer buffer
         (when (= round ob-mesos-agents--round)
           (setq tabulated-list-entries
                 (append (funcall entries server answer) tabulated-list-entries))
           (tabulated-list-print t)))))))

(defun ob-mesos-agents--size (mebibytes)
  "MEBIBYTES for a person, or the empty string."
  (if mebibytes (file-size-human-readable (* mebibytes 1048576.0)) ""))

(defun ob-mesos-agents--of (part whole)
  "PART of WHOLE, both in MiB, or the empty string."
  (if (and part whole)
      (concat (ob-mesos-agents--size part) " of " (ob-mesos-agents--size whole))
    ""))

(defun ob-mesos-agents--bytes (bytes)
  "BYTES for a person, or the empty string."
  (if bytes (file-size-human-readable bytes) ""))

(defun ob-mesos-agents--fewer-cpus-p (entry other)
  "Return non-nil if the agent of ENTRY has fewer cpus than that of OTHER."
  (funcall (ob-mesos-list--by-number 1) entry other))

(defun ob-mesos-agents--fewer-tasks-p (entry other)
  "Return non-nil if the agent of ENTRY has fewer tasks than that of OTHER."
  (funcall (ob-mesos-list--by-number 5) entry other))

(defun ob-mesos-agents--less-load-p (entry other)
  "Return non-nil if the agent of ENTRY has less load than that of OTHER."
  (funcall (ob-mesos-list--by-number 6) entry other))

(defun ob-mesos-agents--tasks (agent)
  "How many tasks are known to run on AGENT."
  (cl-count-if (lambda (task)
                 (equal (plist-get agent :id)
                        (plist-get (ob-mesos-task-data task) :agent)))
               (ob-mesos--running)))

(defun ob-mesos-agents--row (server agent)
  "AGENT, which SERVER knows, as an entry of the list."
  (let ((metrics (plist-get agent :metrics)))
    (cl-flet ((metric (name) (plist-get metrics name)))
      (vector (plist-get agent :hostname)
              (format "%s" (plist-get agent :cpus))
              (ob-mesos-agents--size (plist-get agent :mem))
              (ob-mesos-agents--size (plist-get agent :disk))
              (format "%d" (plist-get agent :gpus))
              (number-to-string (ob-mesos-agents--tasks agent))
              (if (metric :load) (format "%.2f" (metric :load)) "")
              (ob-mesos-agents--of (metric :memFree) (metric :memTotal))
              (ob-mesos-agents--of (metric :diskUsed) (metric :diskTotal))
              (ob-mesos-agents--bytes (metric :received))
              (ob-mesos-agents--bytes (metric :sent))
              (ob-mesos--master-to-show (ob-mesos--server-master server))
              (mapconcat (lambda (pair)
                           (format "%s=%s" (substring (symbol-name (car pair)) 1)
                                   (cadr pair)))
                         (seq-partition (plist-get agent :attributes) 2)
                         " ")
              (plist-get agent :id)))))

;;;; Offers

(define-derived-mode ob-mesos-offers-mode tabulated-list-mode "Offers"
  "Major mode for the list of the last offers and the server's answers."
  (setq tabulated-list-format
        [("Time" 9 ob-mesos-offers--later-p) ("Agent" 20 t) ("Role" 10 t) ("Cpus" 6 nil) ("Mem" 8 nil)
         ("Disk" 8 nil) ("Gpus" 5 nil) ("Ports" 6 nil) ("Master" 16 t)
         ("Answer" 60 nil)]
        tabulated-list-padding 1
        tabulated-list-sort-key '("Time"))
  (tabulated-list-init-header)
  (add-hook 'tabulated-list-revert-hook #'ob-mesos-offers--ask nil t))

(defun ob-mesos-offers ()
  "List each recent offer of the connected clusters and the server's answer.
The latest offer is the first."
  (interactive)
  (ob-mesos-list--open "*ob-mesos offers*" #'ob-mesos-offers-mode)
  (ob-mesos-offers--ask))

(defun ob-mesos-offers--ask ()
  "Ask all servers that run what they were offered, and show it when it comes."
  (ob-mesos-agents--fill
   :offer/list
   (lambda (server answer)
     (mapcar (lambda (offer) (list offer (ob-mesos-offers--row server offer)))
             (plist-get answer :offers)))))

(defun ob-mesos-offers--later-p (entry other)
  "Whether ENTRY of the list is of a later offer than OTHER."
  (> (plist-get (car entry) :time) (plist-get (car other) :time)))

(defun ob-mesos-offers--row (server offer)
  "OFFER, which was made to SERVER, as an entry of the list."
  (vector (ob-mesos-list--time (plist-get offer :time))
          (plist-get offer :hostname)
          (plist-get offer :role)
          (format "%s" (plist-get offer :cpus))
          (ob-mesos-agents--size (plist-get offer :mem))
          (ob-mesos-agents--size (plist-get offer :disk))
          (format "%d" (plist-get offer :gpus))
          (number-to-string (plist-get offer :portCount))
          (ob-mesos--master-to-show (ob-mesos--server-master server))
          (plist-get offer :outcome)))

(provide 'ob-mesos-agents)
;;; ob-mesos-agents.el ends here
