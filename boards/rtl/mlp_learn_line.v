// SPDX-License-Identifier: MIT
// mlp_learn_line - a serial line to the streams of a core that learns
//
// Golden model   boards/lessons.py: request, reply
// Stream         rx and tx: frames of RFC 1055 (SLIP) at 8N1, one answer for each request
//
// Wiring only.

`default_nettype none

module mlp_learn_line #(
    parameter CYCLES    = 104,          // clock cycles of a bit
    parameter [31:0] ID = 32'd0,        // of what is learned
    parameter PATIENCE  = 4096,         // cycles that any request takes at most
    parameter N         = 4,            // features
    parameter CLASSES   = 3,            // labels
    parameter STATE     = 68,           // words of a load or save
    parameter CHUNK     = 32            // words of it in a frame
) (
    input  wire        clk,
    input  wire        rst,             // synchronous, active high
    input  wire        rx,
    output wire        tx,

    output wire        core_rst,
    input  wire        has_network,
    input  wire        wants,           // the core wants a sample: the one of
    input  wire [15:0] index,
    output wire [15:0] number,          // seed of a start
    output wire        x_valid,
    input  wire        x_ready,
    output wire        x_last,
    output wire [7:0]  x_data,
    output wire [8:0]  x_user,
    input  wire        p_valid,
    output wire        p_ready,
    input  wire        p_last,
    input  wire [7:0]  p_data,
    input  wire [7:0]  p_class,
    output wire        start_valid,
    input  wire        start_ready,
    output wire        load_valid,
    input  wire        load_ready,
    output wire        load_last,
    output wire [15:0] load_data,
    output wire        save_valid,
    input  wire        save_ready,
    input  wire        word_valid,
    output wire        word_ready,
    input  wire        word_last,
    input  wire [15:0] word_data
);

    localparam BODY    = N + 1 > 2 * CHUNK ? N + 1 : 2 * CHUNK;
    localparam PAYLOAD = CLASSES + 1 > 2 * CHUNK ? CLASSES + 1 : 2 * CHUNK;

    wire        rx_valid, byte_valid, byte_end, byte_bad, asked, damaged, learns, last_chunk;
    wire        idle, feeds, fed, takes, taken, fills, filled, gives, given;
    wire        answer_valid, answer_ready, payload_write;
    wire        reply_valid, reply_ready, reply_last, tx_valid, tx_ready;
    wire [7:0]  rx_data, byte_data, tag, kind, status, label, payload_data, reply_data, tx_data;
    wire [15:0] digest, length, step;
    wire [$clog2(BODY+8)-1:0]    body_addr;
    wire [$clog2(PAYLOAD+1)-1:0] payload_addr;

    mlp_uart_rx #(.CYCLES(CYCLES)) u_rx (
        .clk(clk), .rst(rst), .rx(rx), .out_valid(rx_valid), .out_data(rx_data)
    );

    mlp_slip_decode u_decode (
        .clk(clk), .rst(rst), .in_valid(rx_valid), .in_data(rx_data),
        .out_valid(byte_valid), .out_end(byte_end), .out_bad(byte_bad), .out_data(byte_data)
    );

    mlp_learn_request #(.BODY(BODY)) u_request (
        .clk(clk), .rst(rst), .in_valid(byte_valid), .in_end(byte_end), .in_bad(byte_bad),
        .in_data(byte_data), .out_valid(asked), .out_done(answer_ready), .out_damaged(damaged),
        .out_tag(tag), .out_kind(kind), .out_number(number), .out_digest(digest),
        .out_length(length), .body_addr(body_addr), .body_data(x_data)
    );

    mlp_learn_execute #(
        .N(N), .CLASSES(CLASSES), .CHUNK(CHUNK), .STATE(STATE), .PATIENCE(PATIENCE)
    ) u_execute (
        .clk(clk), .rst(rst), .in_valid(asked), .in_damaged(damaged), .in_kind(kind),
        .in_number(number), .in_length(length), .in_label(x_data), .in_learns(learns),
        .in_last_chunk(last_chunk), .idle(idle), .feeds(feeds), .fed(fed), .takes(takes),
        .taken(taken), .starts(start_valid), .started(start_ready), .fills(fills),
        .filled(filled), .asks(save_valid), .asked(save_ready), .gives(gives), .given(given),
        .core_rst(core_rst), .has_network(has_network), .wants(wants),
        .answer_valid(answer_valid), .answer_ready(answer_ready), .answer_status(status),
        .answer_step(step)
    );

    assign x_user = {learns, label};

    mlp_learn_carry #(
        .N(N), .CHUNK(CHUNK), .STATE(STATE), .BODY(BODY), .PAYLOAD(PAYLOAD)
    ) u_carry (
        .clk(clk), .in_valid(asked), .in_number(number), .in_learns(learns),
        .in_last_chunk(last_chunk), .body_addr(body_addr), .body_data(x_data), .idle(idle),
        .feeds(feeds), .fed(fed), .takes(takes), .taken(taken), .fills(fills), .filled(filled),
        .gives(gives), .given(given), .x_valid(x_valid), .x_ready(x_ready), .x_last(x_last),
        .x_label(label), .p_valid(p_valid), .p_ready(p_ready), .p_last(p_last), .p_data(p_data),
        .p_class(p_class), .load_valid(load_valid), .load_ready(load_ready),
        .load_last(load_last), .load_data(load_data), .word_valid(word_valid),
        .word_ready(word_ready), .word_last(word_last), .word_data(word_data),
        .payload_write(payload_write), .payload_addr(payload_addr), .payload_data(payload_data)
    );

    mlp_learn_reply #(
        .CLASSES(CLASSES), .CHUNK(CHUNK), .STATE(STATE), .PAYLOAD(PAYLOAD), .ID(ID)
    ) u_reply (
        .clk(clk), .rst(rst), .answer_valid(answer_valid), .answer_ready(answer_ready),
        .answer_damaged(damaged), .answer_status(status), .answer_kind(kind),
        .answer_last_chunk(last_chunk), .answer_tag(tag), .answer_digest(digest),
        .answer_step(step), .answer_index(index), .payload_write(payload_write),
        .payload_addr(payload_addr), .payload_data(payload_data),
        .out_valid(reply_valid), .out_ready(reply_ready), .out_last(reply_last),
        .out_data(reply_data)
    );

    mlp_slip_encode u_encode (
        .clk(clk), .rst(rst), .in_valid(reply_valid), .in_ready(reply_ready),
        .in_last(reply_last), .in_data(reply_data), .out_valid(tx_valid), .out_ready(tx_ready),
        .out_data(tx_data)
    );

    mlp_uart_tx #(.CYCLES(CYCLES)) u_tx (
        .clk(clk), .rst(rst), .in_valid(tx_valid), .in_ready(tx_ready), .in_data(tx_data), .tx(tx)
    );

endmodule

`default_nettype wire
