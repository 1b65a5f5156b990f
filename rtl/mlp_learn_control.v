// SPDX-License-Identifier: MIT
// mlp_learn_control - what the core does: start, load, save, draw an epoch's order, or samples
//
//     first whoever loads, then who starts, then who saves, then samples
//
// Golden model   model/learning/learner.py: Learner
// Stream         load: masters in the order of mlp_learn_walk, then lfsr, word, index, epoch,
//                position; save: the same
// Latency        17 cycles a weight to start, 1 a word to load, 5 a word to save
//
// A load that ends early or late leaves the core without a network, as a reset does: it then takes
// no sample. Nothing begins before the last update has been written.

`default_nettype none

module mlp_learn_control (
    input  wire        clk,
    input  wire        rst,             // synchronous, active high

    input  wire        load_valid,
    output wire        load_ready,
    input  wire        load_last,
    input  wire        save_valid,      // asks for a save
    output wire        save_ready,
    output wire        word_valid,      // a word of a save
    input  wire        word_ready,
    output wire        word_last,
    input  wire        start_valid,     // asks for a start
    output wire        start_ready,

    input  wire        idle,            // no sample is under way
    input  wire        order_busy,
    output wire        free,            // a sample may begin
    output wire        has_network,

    output wire        hosts,           // the walk says where
    output wire        restart,         // the walk
    output wire        step,
    input  wire        here,
    input  wire        last,
    output wire        writes,          // the master that the walk is at
    output wire        starting,
    input  wire        start_made,      // a master is ready
    output wire [2:0]  tail,            // word behind the masters, 0 .. 4; 5 is none
    output wire        takes_tail,
    output wire        draws,           // the LFSR's steps for an order
    output wire        drawn            // the last of them is done
);

    localparam [2:0] IDLE = 3'd0, START = 3'd1, DRAW = 3'd2, LOAD = 3'd3, SKIP = 3'd4, SAVE = 3'd5;

    localparam [2:0] NO_TAIL = 3'd5, LAST_TAIL = 3'd4;
    localparam [2:0] QUIET = 3'd6;      // cycles from a sample's last issue to its last write
    localparam [4:0] DRAW_STEPS = 5'd16;

    reg [2:0] state;
    reg       loaded;
    reg [2:0] quiet;
    reg [4:0] steps;
    reg [2:0] tail_q;
    reg [1:0] wait_q;                   // cycles until a word to save is there

    wire still     = idle && quiet == QUIET;
    wire must_draw = loaded && !order_busy;
    wire asks      = load_valid || start_valid || save_valid;
    wire in_tail   = tail_q != NO_TAIL;
    wire begins    = state == IDLE && still && !must_draw;

    assign start_ready = begins && !load_valid;
    assign save_ready  = begins && !load_valid && !start_valid && loaded;
    assign load_ready  = (state == LOAD && (here || in_tail)) || state == SKIP;
    assign word_valid  = state == SAVE && wait_q == 2'd0 && (here || in_tail);
    assign word_last   = tail_q == LAST_TAIL;
    assign free        = state == IDLE && loaded && !must_draw && !asks;
    assign has_network = loaded;

    wire loads = state == LOAD && load_valid && load_ready;
    wire saves = word_valid && word_ready;

    assign hosts      = state == START || state == LOAD || state == SAVE;
    assign restart    = state == IDLE;
    assign starting   = state == START && here;
    assign step       = !in_tail && (loads || saves || (starting && start_made));
    assign writes     = !in_tail && (loads || (starting && start_made));
    assign tail       = tail_q;
    assign takes_tail = in_tail && loads;
    assign draws      = state == DRAW && steps != DRAW_STEPS;
    assign drawn      = state == DRAW && steps == DRAW_STEPS;

    always @(posedge clk) begin
        if (rst)
            state <= IDLE;
        else
            case (state)
                IDLE:
                    if (still && must_draw)
                        state <= DRAW;
                    else if (begins && load_valid)
                        state <= LOAD;
                    else if (start_valid && start_ready)
                        state <= START;
                    else if (save_valid && save_ready)
                        state <= SAVE;
                START: state <= step && last ? DRAW : START;
                DRAW:  state <= drawn ? IDLE : DRAW;
                LOAD:
                    if (loads && load_last)
                        state <= IDLE;
                    else if (loads && tail_q == LAST_TAIL)
                        state <= SKIP;
                SKIP:    state <= load_valid && load_last ? IDLE : SKIP;
                default: state <= saves && word_last ? IDLE : SAVE;
            endcase
    end

    always @(posedge clk) begin
        if (rst || (state == IDLE && ((start_ready && start_valid) || (begins && load_valid))))
            loaded <= 1'b0;
        else if (drawn || (loads && load_last && tail_q == LAST_TAIL))
            loaded <= 1'b1;
    end

    always @(posedge clk) begin
        quiet  <= rst || !idle ? 3'd0 : still ? QUIET : quiet + 3'd1;
        steps  <= draws ? steps + 5'd1 : 5'd0;
        wait_q <= state != SAVE || saves || !(here || in_tail) ? 2'd3
                : wait_q == 2'd0 ? 2'd0 : wait_q - 2'd1;
    end

    always @(posedge clk) begin
        if (state == IDLE)
            tail_q <= NO_TAIL;
        else if (!in_tail && step && last)
            tail_q <= 3'd0;
        else if (in_tail && (loads || saves))
            tail_q <= tail_q + 3'd1;
    end

endmodule

`default_nettype wire
